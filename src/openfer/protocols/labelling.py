"""From label names in the rows to the integers of a tensor."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.labels import MISSING


def label_indices(rows: pd.DataFrame, task: str, classes: Sequence[str]) -> np.ndarray:
    """Return the position of each row's label in the class tuple.

    Args:
        rows: a table with a column named like the task.
        task: ``expression`` or one of the disturbing factors.
        classes: the names that give the integers their meaning, in the order of the logits.

    Returns:
        int64, shape (len(rows),), in [0, len(classes)), or :data:`MISSING` where the label is null.

    Raises:
        DataError: if the rows have no such column, or carry a label that is not one of the classes.
    """
    if task not in rows:
        raise DataError(
            f"the rows have no column {task!r}, they have {list(rows.columns)}; choose one of these as task"
        )
    names = rows[task].astype(object)
    indices = pd.Index(list(classes), dtype=object).get_indexer(pd.Index(names)).astype(np.int64)
    known = names.notna().to_numpy()
    indices[~known] = MISSING
    unknown = names[known & (indices < 0)].value_counts()
    if len(unknown):
        found = ", ".join(f"{name} ({count} rows)" for name, count in unknown.items())
        raise DataError(
            f"{unknown.sum()} labels of {task} are not classes: {found}; the classes are {', '.join(classes)}. "
            "Take these rows out of the split, or train with a class tuple that has them"
        )
    return indices
