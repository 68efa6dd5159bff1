"""The two layouts of AffectNet: one CSV file per partition (2017), and an array file per value (later)."""

from io import StringIO
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import numpy as np
import pandas as pd

from openfer.datasets.tree import Tree
from openfer.errors import DataError

_COORDINATES = 136
_BOX = ("face_x", "face_y", "face_width", "face_height")
_COLUMNS = ("subDirectory_filePath", *_BOX, "facial_landmarks", "expression", "valence", "arousal")
_AT_ONCE = 20_000  # rows whose points are text at the same time, about 25 MB


class Layout(Protocol):
    """How the annotations of a partition are stored; points come last, when it is known which rows are kept."""

    def rows(self, tree: Tree, partition: str) -> pd.DataFrame:
        """Return path, expression code, valence, arousal and, where known, box; ``entry`` leads back to the points."""
        ...

    def landmarks(self, tree: Tree, partition: str, entries: pd.Series) -> pd.Series:
        """Return the 68 points of entries, x and y alternating; null where there are none."""
        ...


class CsvLayout:
    """``training.csv``, ``validation.csv`` and ``Manually_Annotated_Images``, wherever they lie in the root."""

    def rows(self, tree: Tree, partition: str) -> pd.DataFrame:
        """Return the rows of a list in its order; an entry is a line's place."""
        place = self._place(tree, partition)
        columns = [name for name in _COLUMNS if name != "facial_landmarks"]
        empty = {"na_values": ["", "NULL"]}  # the publisher's word where there is no face
        table = tree.table(place, "AffectNet's list", columns, **empty, **_header(tree, place, columns))
        inside = next((name for name in tree.files if "Manually_Annotated_Images/" in name), "")
        before = inside.partition("Manually_Annotated_Images/")[0]
        rows = table[["expression", "valence", "arousal"]].assign(entry=np.arange(len(table)))
        rows["path"] = before + "Manually_Annotated_Images/" + table["subDirectory_filePath"]
        if rows["path"].isna().any():
            raise DataError(
                f"{tree.root / place} has {int(rows['path'].isna().sum())} lines without a file; restore it"
            )
        box = table[list(_BOX)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
        rows["box"] = _objects(list(box), ~np.isnan(box).any(axis=1))
        return rows

    def landmarks(self, tree: Tree, partition: str, entries: pd.Series) -> pd.Series:
        """Return the points of the given lines, read block by block."""
        place = self._place(tree, partition)
        path = tree.root / place
        blocks = pd.read_csv(path, dtype=str, chunksize=_AT_ONCE, **_header(tree, place, ["facial_landmarks"]))
        wanted = pd.Index(entries)
        parts = []
        for block in blocks:
            kept = block[block.index.isin(wanted)]
            parts.append(_points(kept.get("facial_landmarks", pd.Series(None, kept.index, dtype=object)), path))
        found = pd.concat(parts) if parts else pd.Series(dtype=object)
        return found.reindex(wanted).set_axis(entries.index)

    def _place(self, tree: Tree, partition: str) -> str:
        name = {"train": "training.csv", "test": "validation.csv"}[partition]
        found = tree.nearest(name)
        if found is None and tree.find("train_set/*", "val_set/*"):
            raise DataError(f"{tree.root} holds train_set and val_set, the later layout; set options.layout to npy")
        return found or name


class ArrayLayout:
    """``train_set`` and ``val_set``: ``images/<n>.jpg`` and, in ``annotations``, ``<n>_exp.npy``, _val, _aro, _lnd."""

    def rows(self, tree: Tree, partition: str) -> pd.DataFrame:
        """Return a row per ``_exp.npy``; an entry is a number as the file's name has it."""
        folder, end = self._folder(partition), "_exp.npy"
        start = f"{folder}/annotations/"
        numbers = [name[len(start) : -len(end)] for name in tree.files if name.startswith(start) and name.endswith(end)]
        if not numbers:
            if tree.find("*training.csv"):
                raise DataError(f"{tree.root} holds training.csv, the layout of 2017; set options.layout to csv")
            tree.path(f"{start}0{end}", "AffectNet's annotations")
        known = set(numbers)
        bare = [name for name in tree.find(f"{folder}/images/*") if PurePosixPath(name).stem not in known]
        if bare:
            raise DataError(
                f"{tree.root} lacks the annotations of {len(bare)} images of {folder}, such as {bare[0]}; "
                "restore them from the publisher's archive"
            )
        rows = pd.DataFrame({"entry": numbers})
        rows["path"] = f"{folder}/images/" + rows["entry"] + ".jpg"
        for column, short in (("expression", "exp"), ("valence", "val"), ("arousal", "aro")):
            values = [_array(tree, f"{start}{number}_{short}.npy", 1) for number in numbers]
            rows[column] = [np.nan if value is None else value[0] for value in values]
        return rows

    def landmarks(self, tree: Tree, partition: str, entries: pd.Series) -> pd.Series:
        """Return the points of the given images."""
        start = f"{self._folder(partition)}/annotations/"
        points = [_array(tree, f"{start}{number}_lnd.npy", _COORDINATES) for number in entries]
        return pd.Series(points, index=entries.index, dtype=object)

    def _folder(self, partition: str) -> str:
        return {"train": "train_set", "test": "val_set"}[partition]


LAYOUTS: dict[str, Layout] = {"csv": CsvLayout(), "npy": ArrayLayout()}


def _header(tree: Tree, place: str, columns: list[str]) -> dict[str, Any]:
    """Return how to read some columns of a list; copies of ``validation.csv`` without a header line are known."""
    with tree.path(place, "AffectNet's list").open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline()
    if _COLUMNS[0] in first:
        return {"usecols": lambda name: name in columns}
    if first.count(",") == len(_COLUMNS) - 1:
        return {"usecols": columns, "names": list(_COLUMNS), "header": None}
    return {}  # another file; the check of its columns says which ones it has


def _points(text: pd.Series, path: Path) -> pd.Series:
    """Return arrays of 136 numbers from ``x;y;...``; a CSV parser is several times faster than splitting text."""
    given = text[text.notna()]
    wrong = given.str.count(";") != _COORDINATES - 1
    if wrong.any():
        line = int(given.index.to_numpy()[wrong.to_numpy().argmax()])
        raise DataError(f"{path} has an entry ({line + 1}) whose facial_landmarks are not 68 points; restore the file")
    if given.empty:
        return given.reindex(text.index)
    try:
        numbers = pd.read_csv(StringIO("\n".join(given)), sep=";", header=None, dtype=np.float32).to_numpy()
    except ValueError as error:
        raise DataError(f"{path} has facial_landmarks that are no numbers: {error}; restore the file") from error
    if not np.isfinite(numbers).all():
        line = int(given.index.to_numpy()[(~np.isfinite(numbers)).any(axis=1).argmax()])
        raise DataError(f"{path} has an entry ({line + 1}) whose facial_landmarks have gaps; restore the file")
    return pd.Series(list(numbers), index=given.index, dtype=object).reindex(text.index)


def _objects(values: list[np.ndarray], known: np.ndarray) -> pd.Series:
    return pd.Series([value if there else None for value, there in zip(values, known, strict=True)], dtype=object)


def _array(tree: Tree, relative: str, size: int) -> np.ndarray | None:
    """Return the numbers of an array file, which may hold them as text; None where the copy lacks it."""
    if relative not in tree:
        return None
    path = tree.root / relative
    try:
        values = np.load(path, allow_pickle=False)
        numbers = np.asarray(values, dtype=np.float32).ravel()
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path} is no array of numbers: {error}; restore it from the publisher's archive") from error
    if numbers.size != size or not np.isfinite(numbers).all():
        raise DataError(f"{path} holds {numbers.size} values instead of {size} numbers; restore it")
    return numbers
