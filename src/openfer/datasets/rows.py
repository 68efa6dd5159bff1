"""Rows from what a reader found: names, missing columns, order."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from openfer.datasets.checked import checked_rows
from openfer.datasets.tree import Tree
from openfer.errors import DataError


def rows_table(tree: Tree, dataset: str, licence: str, columns: Mapping[str, Any] | pd.DataFrame) -> pd.DataFrame:
    """Complete and check the rows of a dataset.

    A row's ``sample_id`` is a hash of what names the face: dataset, path, frame and, where one image has several
    faces, its box. It depends on no order, machine or root, so that predictions of two people can be joined.
    Files that a list names and the copy lacks stay in the rows: alignment puts them into quarantine.

    Args:
        tree: the raw folder; paths are checked to stay inside it.
        dataset: the name that the rows carry.
        licence: the terms that travel with them.
        columns: some of the columns of :data:`openfer.schemas.ROWS`, ``path`` among them; the others are null.

    Returns:
        The rows, sorted by path, frame and sample; valid under :data:`openfer.schemas.ROWS`.

    Raises:
        DataError: if there are no rows, a path leaves the root, one face is listed twice, or a value does not fit.
    """
    table = pd.DataFrame(columns)
    if table.empty:
        raise DataError(f"{tree.root} holds no image of {dataset}; is root the right folder?")
    where = f"a list of {dataset}"
    checked = [path if path in tree else tree.check_name(str(path), where) for path in table["path"]]
    table["path"] = pd.Series(checked, table.index, dtype=str)
    table["dataset"], table["licence"] = dataset, licence
    table["sample_id"] = pd.Series(_names(table), table.index, dtype=str)
    twice = table["sample_id"].duplicated(keep=False)
    if twice.any():
        paths = table.loc[twice, "path"].unique()
        raise DataError(
            f"{dataset} lists {int(twice.sum())} rows of {len(paths)} images more than once, such as {paths[0]}; "
            "remove the repeated lines from its list"
        )
    order = [column for column in ("path", "frame", "sample_id") if column in table]
    return checked_rows(table.sort_values(order, kind="stable", ignore_index=True), f"{dataset} ({tree.root})")


def _names(table: pd.DataFrame) -> list[str]:
    frames: Sequence[Any] = [None] * len(table)
    boxes: Sequence[Any] = frames
    if "frame" in table:
        frames = [None if pd.isna(frame) else int(frame) for frame in table["frame"]]
    if "box" in table:
        several = table["path"].duplicated(keep=False)
        boxes = [
            np.round(np.asarray(box, float), 2).tolist() if use and box is not None else None
            for box, use in zip(table["box"], several, strict=True)
        ]
    parts = zip(table["dataset"], table["path"], frames, boxes, strict=True)
    return [hashlib.blake2b(repr(part).encode(), digest_size=8).hexdigest() for part in parts]
