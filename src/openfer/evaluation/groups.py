"""Accuracy by group: how far a number holds for the faces that are hard, without another training."""

from collections.abc import Iterable, Mapping

import pandas as pd

from openfer.evaluation.predictions import runs_in, single_run

CONFIDENCE = 0.95
"""Of the intervals."""

COLUMNS = ("by", "group", "n", "accuracy", "low", "high")


def accuracy_by_group(predictions: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Score every run of a table on all its samples and on each group.

    The interval is Wilson's: it stays within [0, 1] and says what a small group is worth. It is of drawing the
    samples alone, taken as independent, which several images of one person are not.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`. Where they are of several datasets, such as
            FED-RO beside those that train, each of these is a group.
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
        datasets = run["dataset"] if "dataset" in run else pd.Series(dtype=str)
        if datasets.nunique() > 1:
            rows += [name | _score("dataset", own, right[(datasets == own).to_numpy()]) for own in datasets.unique()]
        known = groups[groups["sample_id"].isin(right.index)]
        for (by, group), part in known.groupby(["by", "group"], sort=False):
            rows.append(name | _score(str(by), str(group), right[part["sample_id"]]))
    return pd.DataFrame(rows)


def together(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the groups of several datasets as one table; each then says whose it is, as in ``raf_db: occlusion``.

    Args:
        tables: by dataset, valid under :data:`openfer.schemas.GROUPS`.
    """
    several = len(tables) > 1
    named = [table.assign(group=f"{name}: " + table["group"]) if several else table for name, table in tables.items()]
    return pd.concat(named, ignore_index=True)


def _score(by: str, group: str, right: "Iterable[bool] | pd.Series") -> dict[str, object]:
    from scipy.stats import binomtest

    values = [bool(value) for value in right]
    hits, n = sum(values), len(values)
    interval = binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    values_of = (by, group, n, hits / n, float(interval.low), float(interval.high))
    return dict(zip(COLUMNS, values_of, strict=True))
