"""Groups of test images that results are reported on beside the whole.

They are challenge lists, images without copies in training, and what rows label of people, pose and light.
"""

import pandas as pd

from openfer.labels import FACTOR_CLASSES
from openfer.protocols.contents import places
from openfer.schemas import group_table

CHALLENGE = "challenge"
"""By what the images of a challenge list are grouped."""

COPIES = "copies"
"""By what images without a copy in training are grouped."""

LABELLED = tuple(FACTOR_CLASSES)
"""The columns of rows by which images are grouped: gender, age, race, illumination and pose."""


def row_groups(rows: pd.DataFrame) -> dict[tuple[str, str], pd.Series]:
    """Return the samples of each challenge list that rows name; a row may be on several.

    Args:
        rows: the columns ``sample_id`` and ``subsets``.
    """
    listed = rows.loc[rows["subsets"].notna(), ["sample_id", "subsets"]].explode("subsets").dropna()
    lists = listed.groupby("subsets", sort=True)
    return {(CHALLENGE, str(name)): part["sample_id"] for name, part in lists}


def factor_groups(rows: pd.DataFrame) -> dict[tuple[str, str], pd.Series]:
    """Return the samples of each gender, age, race, illumination and pose that rows label, in canonical order.

    Args:
        rows: the columns ``sample_id`` and :data:`LABELLED`.
    """
    named = {
        (factor, name): rows["sample_id"][rows[factor] == name]
        for factor in LABELLED
        for name in (*FACTOR_CLASSES[factor], *sorted(set(rows[factor].dropna()) - set(FACTOR_CLASSES[factor])))
    }
    return {key: names for key, names in named.items() if len(names)}


def copy_groups(split: pd.DataFrame, deduplicated: pd.DataFrame) -> dict[tuple[str, str], pd.Series]:
    """Return the test samples without an equal or nearly equal image in training; no group if none has one.

    The model is the same: train and validation do not differ between the two splits.

    Args:
        split: valid under :data:`openfer.schemas.SPLIT`.
        deduplicated: from :func:`openfer.protocols.deduplicated.deduplicated`.
    """
    if len(split) == len(deduplicated):
        return {}
    tested, kept = (each.loc[each["role"] == "test", ["fold", "sample_id"]] for each in (split, deduplicated))
    taken = [
        names[places(names, kept.loc[kept["fold"] == fold, "sample_id"]) < 0]
        for fold, names in tested.groupby("fold")["sample_id"]
    ]
    names = tested["sample_id"].drop_duplicates()
    return {(COPIES, "none in its own training set"): names[places(names, pd.concat(taken)) < 0]}


def groups_of(rows: pd.DataFrame, split: pd.DataFrame, deduplicated: pd.DataFrame) -> pd.DataFrame:
    """Return all groups of an ingested set, valid under :data:`openfer.schemas.GROUPS`.

    Args:
        rows: the columns ``sample_id``, ``subsets`` and :data:`LABELLED`; those that name nothing may be left out.
        split: valid under :data:`openfer.schemas.SPLIT`.
        deduplicated: from :func:`openfer.protocols.deduplicated.deduplicated`.
    """
    return group_table(row_groups(rows) | copy_groups(split, deduplicated) | factor_groups(rows))


def listed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the groups that rows name by themselves, valid under :data:`openfer.schemas.GROUPS`."""
    return group_table(row_groups(rows) | factor_groups(rows))
