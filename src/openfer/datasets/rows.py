"""Rows from what a reader found: names, missing columns, order."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from openfer.datasets.checked import checked_rows
from openfer.datasets.tree import Tree
from openfer.errors import DataError

_ROWS_AT_ONCE = 1 << 13
"""Rows with all their columns in memory; what a reader found takes a tenth of that."""


def row_batches(tree: Tree, dataset: str, licence: str, found: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Complete and check the rows of a dataset, some at a time.

    A row's ``sample_id`` is a hash of what names the face: dataset, path, frame and, where one image has several
    faces, its box, or its points where there is no box. It depends on no order, machine or root, so that predictions
    of two people can be joined.
    Files that a list names and the copy lacks stay in the rows: alignment puts them into quarantine.

    Args:
        tree: the raw folder; paths are checked to stay inside it.
        dataset: the name that the rows carry.
        licence: the terms that travel with them.
        found: some of the columns of :data:`openfer.schemas.ROWS`, ``path`` among them; the others are null.

    Yields:
        The rows, sorted by path, frame and sample; valid under :data:`openfer.schemas.ROWS`.

    Raises:
        DataError: if there are no rows, a path leaves the root, one face is listed twice, or a value does not fit.
    """
    if found.empty:
        raise DataError(f"{tree.root} holds no image of {dataset}; is root the right folder?")
    where = f"a list of {dataset}"
    paths = [path if path in tree else tree.check_name(tree.resolve(str(path)), where) for path in found["path"]]
    found = found.assign(path=pd.Series(paths, found.index, dtype=object))
    names = _names(dataset, found)
    _refuse_repeated(dataset, paths, names)
    order = _order(paths, found.get("frame"), names)

    def complete(places: np.ndarray) -> pd.DataFrame:
        rows = found.iloc[places].reset_index(drop=True)
        given = {"sample_id": [f"{name:016x}" for name in names[places]], "dataset": dataset, "licence": licence}
        return checked_rows(rows.assign(**given), f"{dataset} ({tree.root})")

    for start in range(0, len(order), _ROWS_AT_ONCE):
        try:
            rows = complete(order[start : start + _ROWS_AT_ONCE])
        except DataError:
            complete(order)  # its message counts all rows that do not fit
            raise
        yield rows


def _names(dataset: str, found: pd.DataFrame) -> np.ndarray:
    """Return the sample ids as numbers, (N,), uint64."""
    frames: Sequence[Any] = [None] * len(found)
    boxes: Sequence[Any] = frames
    if "frame" in found:
        frames = [None if pd.isna(frame) else int(frame) for frame in found["frame"]]
    if "box" in found:
        several = found["path"].duplicated(keep=False)
        boxes = [
            np.round(np.asarray(box, float), 2).tolist() if use and box is not None else None
            for box, use in zip(found["box"], several, strict=True)
        ]
    parts = ((dataset, *part) for part in zip(found["path"], frames, boxes, strict=True))
    names = np.fromiter(map(_number, parts), np.uint64, len(found))
    if "landmarks" in found:  # faces of one image without boxes
        for row in np.flatnonzero(pd.Series(names).duplicated(keep=False)):
            points = found["landmarks"].iloc[row]
            if points is not None:
                names[row] = _number((int(names[row]), np.round(np.asarray(points, float), 2).tolist()))
    return names


def _number(parts: tuple[Any, ...]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


def _refuse_repeated(dataset: str, paths: Sequence[str], names: np.ndarray) -> None:
    _, which, count = np.unique(names, return_inverse=True, return_counts=True)
    twice = np.flatnonzero(count[which] > 1)
    if len(twice):
        images = list(dict.fromkeys(paths[row] for row in twice.tolist()))
        raise DataError(
            f"{dataset} lists {len(twice)} rows of {len(images)} images more than once, such as {images[0]}; remove "
            "the repeated lines, or give each of several faces of an image its box or points (of your own data: "
            "options.box or options.points)"
        )


def _order(paths: Sequence[str], frames: pd.Series | None, names: np.ndarray) -> np.ndarray:
    """Return the rows' places by path, then frame with null last, then name."""
    order = np.array(sorted(range(len(paths)), key=lambda row: paths[row]))
    changes = (paths[one] != paths[other] for one, other in pairwise(order.tolist()))
    path = np.append(0, np.cumsum(np.fromiter(changes, bool, len(order) - 1)))
    frame = np.zeros(len(order)) if frames is None else frames.to_numpy(float, na_value=np.nan)
    return order[np.lexsort((names[order], frame[order], path))]
