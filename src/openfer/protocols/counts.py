"""How many images of each class have which role, and how many have none."""

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
    name = rows[task].astype("category").cat.add_categories("(no label)").fillna("(no label)")
    parts = []
    for fold in sorted(split["fold"].unique()):
        assigned = split[split["fold"] == fold]
        place = places(rows["sample_id"], assigned["sample_id"])
        role = pd.Categorical(np.append(assigned["role"], "excluded")[place], [*_ROLES, "excluded"])
        table = pd.crosstab(name, role).reindex(columns=role.categories, fill_value=0)
        table = table.loc[sorted(table.index[table.any(axis=1)], key=str)]
        table.loc["(all)"] = table.sum()
        table.loc["(subjects)"] = [rows["subject"][role == side].nunique() for side in role.categories]
        parts.append(table.rename_axis(index="class", columns=None).reset_index().assign(fold=fold))
    counted = pd.concat(parts, ignore_index=True)
    return counted[["fold", "class", *_ROLES, "excluded"]]
