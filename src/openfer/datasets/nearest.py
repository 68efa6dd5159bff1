"""Which file of a copy a list means that names another one: another folder, suffix, case or way to write an accent."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from openfer.io.image_kinds import IMAGES
from openfer.io.names import same_text

ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar")
_ALIGNED = ("_aligned", "-aligned", "_crop", "_cropped", "_face")


class Nearest:
    """The files of a copy, by what is left of their names when folder, suffix, case and accents do not count.

    Args:
        files: relative paths.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._files: dict[str, list[str]] = {}
        self._archives: list[str] = []
        for file in files:
            self._files.setdefault(_key(file), []).append(file)
            if file.lower().endswith(ARCHIVES):
                self._archives.append(file)

    def of(self, listed: str) -> str | None:
        """Return the file that is nearest to a listed path; None if there is none, or if several are as near."""
        found = self._files.get(_key(listed), [])
        nearness = [_common_end(file, listed) for file in found]
        best = [file for file, near in zip(found, nearness, strict=True) if near == max(nearness)]
        return best[0] if len(best) == 1 else None

    def advice(self, missing: Sequence[str]) -> str:
        """Return what to do about listed paths that are not there: their nearest files, or archives to unpack."""
        pairs = [(listed, near) for listed in missing if (near := self.of(listed)) is not None]
        if pairs:
            listed, near = pairs[0]
            return (
                f"{near} is there for {listed} ({len(pairs):,} of {len(missing):,} are alike): {_remedy(listed, near)}"
            )
        if self._archives:
            return f"there is an archive, {self._archives[0]}: unpack it, and set root so that listed paths start there"
        return "unpack all archives, and set root to the folder that listed paths start from"


def _key(path: str) -> str:
    name = same_text(PurePosixPath(path.replace("\\", "/")).name).lower()
    if name.endswith(IMAGES):
        name = name.rpartition(".")[0]
    ending = next((end for end in _ALIGNED if name.endswith(end)), "")
    return name.removesuffix(ending).rstrip(".")


def _common_end(one: str, other: str) -> int:
    """Return how many folders at the end two paths share."""
    pairs = zip(reversed(one.lower().split("/")[:-1]), reversed(other.lower().split("/")[:-1]), strict=False)
    count = 0
    for mine, yours in pairs:
        if mine != yours:
            break
        count += 1
    return count


def _remedy(listed: str, near: str) -> str:
    suffixes = PurePosixPath(listed).suffix, PurePosixPath(near).suffix
    if PurePosixPath(listed).with_suffix("") == PurePosixPath(near).with_suffix("") and suffixes[0] != suffixes[1]:
        return f"the list says {suffixes[0] or 'no suffix'}, the files end in {suffixes[1] or 'no suffix'}"
    if listed.lower() == near.lower():
        return "upper and lower case differ"
    return "set root or the reader's options so that they are the same"
