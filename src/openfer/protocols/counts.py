"""How many images of each class have which role, and how many have none."""

import pandas as pd

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
    parts = []
    for fold, assigned in split.groupby("fold"):
        known = rows[["sample_id", "subject", task]].merge(assigned[["sample_id", "role"]], on="sample_id", how="left")
        role = known["role"].fillna("excluded")
        name = known[task].astype(object).fillna("(no label)")
        table = pd.crosstab(name, role).reindex(columns=[*_ROLES, "excluded"], fill_value=0)
        table.loc["(all)"] = table.sum()
        table.loc["(subjects)"] = known.groupby(role)["subject"].nunique().reindex(table.columns, fill_value=0)
        parts.append(table.rename_axis(index="class", columns=None).reset_index().assign(fold=fold))
    counted = pd.concat(parts, ignore_index=True)
    return counted[["fold", "class", *_ROLES, "excluded"]]
