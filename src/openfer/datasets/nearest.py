"""Which file of a copy a list means that names another one: another folder, suffix, case or way to write an accent."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from openfer.datasets.tree import ARCHIVES, IMAGES

_ALIGNED = ("_aligned", "-aligned", "_crop", "_cropped", "_face")


def same_text(name: str) -> str:
    """Return a name with each accented letter as one character, as keyboards write it and Macs do not."""
    return unicodedata.normalize("NFC", name)


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
        """Return the file that is nearest to a listed path; None if there is none with such a name."""
        found = self._files.get(_key(listed), [])
        return max(found, key=lambda file: (_common_end(file, listed), file), default=None)

    def advice(self, missing: Sequence[str]) -> str:
        """Return what to do about listed paths that are not there: their nearest files, or archives to unpack."""
        pairs = [(listed, near) for listed in missing if (near := self.of(listed)) is not None]
        if pairs:
            listed, near = pairs[0]
            return f"{near} is there for {listed} ({len(pairs):,} of {len(missing):,} are alike): {_remedy(listed, near)}"
        if self._archives:
            return f"there is an archive, {self._archives[0]}: unpack it, and set root so that listed paths start there"
        return "unpack all archives, and set root to the folder that listed paths start from"


def mapped(listed: Sequence[str], files: Iterable[str]) -> Mapping[str, str]:
    """Return listed path -> the file that is named alike apart from accents' writing, for those that have one."""
    known = {same_text(file): file for file in files}
    return {path: known[same] for path in listed if (same := same_text(path)) in known}


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
