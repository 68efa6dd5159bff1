"""A raw folder as readers see it: what is outside does not exist, and what is missing has a name."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from openfer.datasets.nearest import ARCHIVES, Nearest
from openfer.errors import DataError
from openfer.io.image_kinds import HEAD, IMAGES, other_kind, readable_kind
from openfer.io.names import as_text, on_disk, same_text

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


class Tree:
    """The files under a root, by their relative paths with forward slashes.

    Symbolic links are followed as long as they stay inside the root. A link that leaves it is an error and not
    a detail: a label file could otherwise bring any file of the machine into a dataset.

    Args:
        root: the raw folder.

    Raises:
        DataError: if the root is missing, is an archive or another file, or holds a link that leaves it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        if root.is_file():
            kind = "an archive" if root.suffix.lower() in ARCHIVES else "a file"
            remedy = "unpack it, and set root to the folder" if kind == "an archive" else "set root to its folder"
            raise DataError(f"{root} is {kind}, a dataset is read from a folder: {remedy}")
        if not root.is_dir():
            raise DataError(
                f"{root} does not exist; set the dataset's root to the folder that holds your copy, or mount its disk"
            )

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Paths of all files but hidden ones, sorted."""
        return tuple(self.walk())

    def walk(self) -> Iterator[str]:
        """Yield all files in the same order, one folder's names in memory at a time."""
        inside = self.root.resolve()
        return _walk(self.root, inside, "", frozenset({inside}))

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.files)

    def __contains__(self, relative: str) -> bool:
        """Tell whether a file is there, upper and lower case as written."""
        return relative in self._names

    def resolve(self, listed: str) -> str:
        """Return the file that a list means: the one of this name, or of the same name with accents written otherwise.

        A path that names no file is returned unchanged.
        """
        return listed if listed in self._names else self._same.get(same_text(listed), listed)

    @cached_property
    def _same(self) -> dict[str, str]:
        return {same: file for file in self.files if (same := same_text(file)) != file or not file.isascii()}

    def nearest_to(self, listed: str) -> str | None:
        """Return the one file that is named like a listed path apart from folder, suffix and case; None if none is."""
        return self._nearest.of(listed)

    @cached_property
    def _nearest(self) -> Nearest:
        return Nearest(self.files)

    def advice(self, missing: Sequence[str]) -> str:
        """Return what to do about listed paths that are not there."""
        return self._nearest.advice(missing)

    def find(self, *patterns: str) -> list[str]:
        """Return the files that match a pattern such as ``Image/aligned/*.jpg``, sorted; ``*`` crosses slashes."""
        return [name for name in self.files if any(fnmatchcase(name, pattern) for pattern in patterns)]

    def nearest(self, ending: str) -> str | None:
        """Return the file whose path ends with these folders and name; of several the one nearest to the root."""
        found = [name for name in self.files if f"/{name}".endswith(f"/{ending}")]
        return min(found, key=lambda name: (name.count("/"), name), default=None)

    def with_suffix(self, under: str, suffixes: Sequence[str]) -> list[str]:
        """Return the files under a folder (``""``: anywhere) that end like one of the suffixes, in any case."""
        start = f"{under}/" if under else ""
        return [name for name in self.files if name.startswith(start) and name.lower().endswith(tuple(suffixes))]

    def pictures(self, under: str) -> list[str]:
        """Return the pictures under a folder (``""``: anywhere), in the order of the tree.

        A usual suffix says that a file is one. Any other file is one if its first bytes are those of a picture,
        also of a kind that is not decoded: quarantine then gives the reason.
        """
        start = f"{under}/" if under else ""
        inside = (name for name in self.files if name.startswith(start))
        return [name for name in inside if name.lower().endswith(IMAGES) or self._is_picture(name)]

    def _is_picture(self, relative: str) -> bool:
        try:
            with on_disk(self.root, relative).open("rb") as file:
                head = file.read(HEAD)
        except OSError:
            return False
        return readable_kind(head) is not None or other_kind(head) is not None

    def path(self, relative: str, what: str = "file") -> Path:
        """Return the place of a file that must be there.

        Raises:
            DataError: if it is not; the message says what is there instead.
        """
        self.check_name(relative, what)
        if relative not in self._names:
            raise DataError(f"{self.root} lacks {relative} ({what}); {self._instead(relative)}")
        return on_disk(self.root, relative)

    def check_name(self, relative: str, where: str) -> str:
        """Return a path that a label file gives, if it stays inside the root.

        Raises:
            DataError: if it is absolute or climbs out with ``..``.
        """
        pure = PurePosixPath(relative.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or _DRIVE.match(relative):
            near = self.nearest_to(relative)
            remedy = "list paths that start from the root"
            if near is not None:
                remedy = f"{near} is there: {remedy}, or of your own data set options.nearest: true to take that file"
            raise DataError(f"{where} names {relative!r}, which is outside {self.root}; {remedy}")
        return str(pure)

    def lines(self, relative: str, what: str) -> list[str]:
        """Return the lines of a text file that are not empty.

        Raises:
            DataError: if the file is missing or is not text.
        """
        path = self.path(relative, what)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path} ({what}) is not text ({error.reason} at byte {error.start}); restore it"
            ) from error
        return [line.rstrip() for line in text.splitlines() if line.strip()]

    def table(self, relative: str, what: str, columns: Sequence[str] = (), **options: Any) -> pd.DataFrame:
        """Read a CSV file; every value is text, and null where it is empty and nowhere else: ``NA`` may be a name.

        Args:
            relative: the file.
            what: what it is, for messages.
            columns: those that must be there.
            **options: of :func:`pandas.read_csv`, such as ``sep``, ``names`` or further ``na_values``.

        Raises:
            DataError: if the file is missing, is no table, or lacks a column.
        """
        path = self.path(relative, what)
        options = {"keep_default_na": False, "na_values": [""], **options}
        try:
            table = pd.read_csv(path, dtype=str, encoding="utf-8-sig", **options)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path} ({what}) is not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8"
            ) from error
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            remedy = _other_separator(path, options) or "restore it"
            raise DataError(f"{path} ({what}) cannot be read as a table: {str(error).strip()}; {remedy}") from error
        missing = [column for column in columns if column not in table]
        if missing:
            other = "this is another edition or another file: see the reader's options"
            raise DataError(
                f"{path} ({what}) lacks the columns {missing}, it has {list(table.columns)}; "
                f"{_other_separator(path, options) or other}"
            )
        return table

    def _instead(self, relative: str) -> str:
        name = PurePosixPath(relative).name.lower()
        alike = [file for file in self.files if PurePosixPath(file).name.lower() == name]
        if alike:
            return f"there is {alike[0]}: set root so that paths begin as above"
        archives = self.with_suffix("", ARCHIVES)
        if archives:
            return f"there is an archive, {archives[0]}: unpack it"
        parts = sorted({file.split("/")[0] for file in self.files})
        return f"the root holds {', '.join(parts[:8]) or 'nothing'}{' ...' if len(parts) > 8 else ''}"


def _other_separator(path: Path, options: Mapping[str, Any]) -> str | None:
    """Return what to do with a table whose first line has no comma and another separator; None where it is none."""
    if "sep" in options:
        return None
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline()
    found = next((name for sign, name in ((";", "semicolons"), ("\t", "tabulators")) if sign in first), None)
    return f"its columns are separated by {found}: save it with commas" if found and "," not in first else None


def _walk(folder: Path, inside: Path, prefix: str, above: frozenset[Path]) -> Iterator[str]:
    with os.scandir(folder) as entries:
        visible = [(as_text(entry.name), entry) for entry in entries if not entry.name.startswith(".")]
    # a folder's slash counts in the order of whole paths: a.jpg stands before a/1.jpg
    named = [(f"{name}/" if entry.is_dir() else name, entry) for name, entry in visible]
    for name, entry in sorted(named, key=lambda pair: pair[0]):
        if entry.is_symlink():
            target = Path(entry.path).resolve()
            if not target.is_relative_to(inside):
                raise DataError(
                    f"{entry.path} is a symbolic link to {target}, which is outside {inside}; "
                    "copy the file into the root, or link the root itself"
                )
        if name[-1] == "/":
            place = Path(entry.path).resolve()
            if place not in above:  # a link to a folder above would never end
                yield from _walk(Path(entry.path), inside, f"{prefix}{name}", above | {place})
        elif entry.is_file():
            yield f"{prefix}{name}"
