"""Count the images of each class by role, and those without a role."""

import numpy as np
import pandas as pd

from openfer.protocols.contents import places

_ROLES = ("train", "val", "test")


def split_counts(rows: pd.DataFrame, split: pd.DataFrame, task: str = "expression") -> pd.DataFrame:
    """Count a split; rows = train + val + test + excluded, in every fold.

    Args:
        rows: the columns ``sample_id, subject`` and the task's labels.
        split: valid under :data:`openfer.schemas.SPLIT`.
        task: the column whose classes are counted.

    Returns:
        One row per fold and class, then one ``(no label)`` where labels are missing and one ``(all)``, then
        ``(subjects)``, the number of known subjects; columns ``fold, class, train, val, test, excluded``.
    """
    label = rows[task].astype("category").cat
    names, sides = [*label.categories, "(no label)"], [*_ROLES, "excluded"]
    first = label.codes.to_numpy(np.int64) % len(names) * len(sides)  # the code of no label is -1
    roles = np.zeros(len(split), np.int8)
    for number, side in enumerate(sides):
        roles[(split["role"] == side).to_numpy()] = number
    place = places(split["sample_id"], rows["sample_id"])
    parts = []
    for fold in sorted(split["fold"].unique()):
        assigned = (split["fold"] == fold).to_numpy()
        role = np.full(len(rows) + 1, len(_ROLES), np.int8)
        role[place[assigned]] = roles[assigned]
        role = role[:-1]  # without place -1, that of names which no row has
        found = np.bincount(first + role, minlength=len(names) * len(sides))
        table = pd.DataFrame(found.reshape(-1, len(sides)), names, sides)
        table = table.loc[sorted(table.index[table.any(axis=1)], key=str)]
        table.loc["(all)"] = table.sum()
        table.loc["(subjects)"] = [rows["subject"][role == number].nunique() for number in range(len(sides))]
        parts.append(table.rename_axis(index="class", columns=None).reset_index().assign(fold=fold))
    counted = pd.concat(parts, ignore_index=True)
    return counted[["fold", "class", *_ROLES, "excluded"]]
