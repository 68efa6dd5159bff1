"""Accuracy by group: how far a number holds for the faces that are hard, without another training."""

from collections.abc import Iterable, Sequence

import pandas as pd

from openfer.evaluation.predictions import runs_in, single_run

CONFIDENCE = 0.95
"""Of the intervals."""

DATASET = "dataset"
"""By what a dataset's faces are a group of their own."""

COLUMNS = ("by", "group", "n", "accuracy", "low", "high")


def accuracy_by_group(predictions: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Score every run of a table on all its samples and on each group.

    The interval is Wilson's: it stays within [0, 1] and says what a small group is worth. It is of drawing the
    samples alone, taken as independent, which several images of one person are not.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`.
        groups: valid under :data:`openfer.schemas.GROUPS`; samples without a prediction do not count.

    Returns:
        One row per run and group: what names the run, then :data:`COLUMNS`; the first group of each run, ``by``
        all, is the whole. A group without any predicted sample is not there.

    Raises:
        DataError: if a run has a sample twice.
    """
    rows = []
    for name, run in runs_in(predictions):
        single_run(run)
        right = (run["y_true"] == run["y_pred"]).set_axis(run["sample_id"])
        rows.append(name | _score("all", "all", right))
        known = groups[groups["sample_id"].isin(right.index)]
        for (by, group), part in known.groupby(["by", "group"], sort=False):
            rows.append(name | _score(str(by), str(group), right[part["sample_id"]]))
    return pd.DataFrame(rows)


def together(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the groups of several datasets as one table; each then says whose it is, as in ``raf_db: occlusion``.

    Args:
        tables: one per dataset, valid under :data:`openfer.schemas.GROUPS`, with the dataset itself as a group.
    """
    if len(tables) == 1:
        return tables[0]
    named = []
    for table in tables:
        whole = table["by"] == DATASET
        owner = "+".join(dict.fromkeys(table.loc[whole, "group"]))
        named.append(table.assign(group=table["group"].where(whole, f"{owner}: " + table["group"])))
    return pd.concat(named, ignore_index=True)


def _score(by: str, group: str, right: "Iterable[bool] | pd.Series") -> dict[str, object]:
    from scipy.stats import binomtest

    values = [bool(value) for value in right]
    hits, n = sum(values), len(values)
    interval = binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    values_of = (by, group, n, hits / n, float(interval.low), float(interval.high))
    return dict(zip(COLUMNS, values_of, strict=True))
