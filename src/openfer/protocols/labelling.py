"""Turn label names of the rows into integers for tensors."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.labels import ATTRIBUTE, EXPRESSIONS, MISSING, PRESENCE


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
            f"Give these rows no label, of your own data by `options: {{labels: {{{unknown.index[0]}: null}}}}`, or "
            "train on data that shows them"
        )
    return indices


def vote_counts(rows: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Return the annotators' votes for each class.

    Args:
        rows: with the column ``votes``.
        classes: names of expressions; votes for others are left out.

    Returns:
        float32, (len(rows), len(classes)), >= 0; zeros for a row without votes.

    Raises:
        DataError: if no row has votes.
    """
    known = rows["votes"].notna().to_numpy()
    if not known.any():
        raise DataError(
            f"none of the {len(rows)} training rows has votes, which training.labels asks for; set it to class, or "
            "train on a dataset with votes, such as ferplus"
        )
    counts = np.zeros((len(rows), len(EXPRESSIONS)), np.float32)
    counts[known] = np.stack([*rows.loc[known, "votes"]])
    return counts[:, [EXPRESSIONS.index(name) for name in classes]]


def with_attribute_columns(rows: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Return the rows with a column for each task that asks for an attribute, such as ``attribute/Bald``.

    Args:
        rows: with the column ``attributes``, the names that each face has; null where nobody looked.
        tasks: any; those that ask for no attribute are left to the columns that there are.

    Returns:
        New columns named like the tasks: ``present``, ``absent``, or null.
    """
    asked = [task for task in tasks if task.startswith(ATTRIBUTE)]
    if not asked:
        return rows
    known = rows["attributes"].notna().to_numpy()
    lists = rows.loc[known, "attributes"]
    owner = np.repeat(np.flatnonzero(known), lists.map(len))
    codes, names = pd.factorize(np.array([name for names in lists for name in names], dtype=object))
    numbers = {name: number for number, name in enumerate(names)}
    columns = {}
    for task in asked:
        column = np.full(len(rows), None, dtype=object)
        column[known] = PRESENCE[0]
        column[owner[codes == numbers.get(task.removeprefix(ATTRIBUTE), MISSING)]] = PRESENCE[1]
        columns[task] = column
    return pd.concat([rows, pd.DataFrame(columns, index=rows.index)], axis=1)
