"""From rows to images: files, frames of videos, and rows of pixel tables."""

import stat
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.io.images import ImageLimits, SourceImage, UnreadableImageError, read_image
from openfer.io.names import on_disk
from openfer.io.pixel_table import PixelTable
from openfer.io.video import VIDEOS, iterate_frames

_TABLES = (".csv",)
_LONGEST_REASON = 160
MISSING = "the file is missing"
"""The reason for a row whose file is not there."""


ReadImage = Callable[[], SourceImage | str]
"""Returns an image, or the reason why there is none."""


def source_images(root: Path, rows: pd.DataFrame, largest_megapixels: float) -> Iterator[SourceImage | str]:
    """Yield the image of every row, or the reason why there is none; the arguments are those of :func:`readers`."""
    return (read() for read in readers(root, rows, largest_megapixels))


def readers(root: Path, rows: pd.DataFrame, largest_megapixels: float) -> Iterator[ReadImage]:
    """Yield, for every row in their order, what reads its image; threads can read image files side by side.

    Rows of one video or table that follow each other are read in one go as they are asked for, one image in memory at a
    time.

    Args:
        root: the raw folder.
        rows: ``path``, relative to the root, and ``frame``, null for an image file; frames of a video ascending.
        largest_megapixels: an image whose header claims more is not decoded.
    """
    limits = ImageLimits(megapixels=largest_megapixels)
    pairs = zip(rows["path"], rows["frame"], strict=True)
    for relative, group in groupby(pairs, key=lambda pair: pair[0]):
        path = on_disk(root, relative)
        frames = [frame for _, frame in group]
        absent = _why_absent(path)
        if absent is not None:
            yield from [partial(_known, absent)] * len(frames)
        elif path.suffix.lower() in VIDEOS:
            yield from (partial(_known, image) for image in _of_video(path, frames, largest_megapixels))
        elif path.suffix.lower() in _TABLES:
            yield from (partial(_known, image) for image in _of_table(path, frames))
        else:
            yield from [partial(_of_file, path, limits)] * len(frames)


def _why_absent(path: Path) -> str | None:
    """Return why an image cannot be opened; None if its file exists."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    except (OSError, ValueError) as error:  # links in a circle; a name that is too long or holds a null
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    return None if stat.S_ISREG(mode) else "not a regular file"  # reading a pipe would wait for ever


def _known(image: SourceImage | str) -> SourceImage | str:
    return image


def _of_file(path: Path, limits: ImageLimits) -> SourceImage | str:
    try:
        return read_image(path, limits)
    except UnreadableImageError as error:
        return str(error)


def _of_table(path: Path, frames: list[object]) -> Iterator[SourceImage | str]:
    try:
        table = PixelTable(path)
    except (DataError, OSError) as error:
        yield from [_reason(error, path)] * len(frames)
        return
    for frame in frames:
        try:
            grey = table[_number(frame)]
        except DataError as error:
            yield _reason(error, path)
        else:
            yield _plain(np.repeat(grey[..., None], 3, axis=2))


def _of_video(path: Path, frames: list[object], largest_megapixels: float) -> Iterator[SourceImage | str]:
    """Yield frames until the video is damaged or ends; the rows after that share its reason."""
    done = 0
    try:
        for pixels in iterate_frames(path, [_number(frame) for frame in frames], largest_megapixels):
            yield _plain(pixels)
            done += 1
    except DataError as error:
        yield from [_reason(error, path)] * (len(frames) - done)


def _plain(pixels: np.ndarray) -> SourceImage:
    return SourceImage(pixels, (1.0, 1.0), ())


def _number(frame: object) -> int:
    """Return a frame's number; a video or table whose row names no frame means its first one."""
    return 0 if frame is None or pd.isna(frame) else int(frame)  # type: ignore[call-overload]


def _reason(error: DataError | OSError, path: Path) -> str:
    """Return an error's first words without the path, which has its own column in the quarantine."""
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    return str(error).replace(str(path), "the file")[:_LONGEST_REASON]
