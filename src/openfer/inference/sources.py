"""What a person names on the command line -> image and video files."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from openfer.errors import DataError
from openfer.io.image_kinds import IMAGES
from openfer.io.video import VIDEOS, count_frames

_UNREAD = (".heic", ".heif", ".avif")
"""Photographs that are not read; the table says so."""


@dataclass(frozen=True)
class Source:
    """One file.

    Attributes:
        path: as it was named, or found in a folder that was named.
        is_video: told by its ending.
    """

    path: Path
    is_video: bool

    @property
    def count(self) -> int:
        """Number of images: 1, or the frames of a video, 0 if it cannot be read."""
        try:
            return count_frames(self.path) if self.is_video else 1
        except DataError:  # its row will say so
            return 0


def find_sources(names: Sequence[str], apart: Path | None = None) -> list[Source]:
    """Return the files that names mean, each once, in the order of the names.

    Args:
        names: files of any ending; folders, whose images and videos are taken with those of all folders below, sorted
            by path, hidden ones left out; or glob patterns, in which ``**`` means all folders below.
        apart: a folder whose files are left out, as annotated copies are written there.

    Raises:
        DataError: if a name means no file.
    """
    found: dict[Path, Path] = {}
    for name in names:
        files = [path for path in _files(name) if apart is None or apart.resolve() not in path.resolve().parents]
        if not files:
            outside = "" if apart is None else f" outside of {apart}"
            raise DataError(
                f"{name} is no file, no folder with images or videos, and no pattern of such{outside}; give the path "
                "of an image, a video or a folder, or a pattern such as 'photos/*.jpg'"
            )
        for path in files:
            found.setdefault(path.absolute(), path)
    return [Source(path, path.suffix.lower() in VIDEOS) for path in found.values()]


def _files(name: str) -> Iterator[Path]:
    path = Path(name)
    if path.is_dir():
        yield from _inside(path)
    elif path.exists():
        yield path
    else:
        matches = sorted(Path(match) for match in glob.glob(name, recursive=True))  # noqa: PTH207  # absolute ones too
        yield from (match for match in matches if match.is_file() and _is_shown(match))


def _inside(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts) and _is_shown(path):
            yield path


def _is_shown(path: Path) -> bool:
    return path.suffix.lower() in (*IMAGES, *VIDEOS, *_UNREAD) and path.is_file()
