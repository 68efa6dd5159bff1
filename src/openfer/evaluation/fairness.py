"""For whom a number holds: every score by group, and how far the best group is from the worst."""

import numpy as np
import pandas as pd

from openfer.evaluation.bootstrap import SCORES, bootstrap_intervals, percentiles, resample
from openfer.evaluation.groups import ALL
from openfer.evaluation.predictions import runs_in

LEAST = 30
"""Fewer samples than this are shown with their n and not ranked."""

LOWER_IS_BETTER = ("calibration_error",)


def scores_by_group(
    predictions: pd.DataFrame,
    groups: pd.DataFrame,
    least: int = LEAST,
    repeats: int = 1000,
    seed: int = 0,
    *,
    clusters: pd.Series | None = None,
) -> pd.DataFrame:
    """Score every run of a table on all its samples and on each group.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`.
        groups: valid under :data:`openfer.schemas.GROUPS`.
        least: groups of fewer samples are not ranked.
        repeats: of the bootstrap.
        seed: of its draws.
        clusters: person by sample id; None takes the column ``subject`` of the predictions, where they have one.

    Returns:
        One row per run, group and score: what names the run, then the columns of
        :func:`openfer.evaluation.bootstrap.bootstrap_intervals`, and ``ranked``, False for a small group, which has
        no interval.
    """
    tables = []
    for name, run in runs_in(predictions):
        table = bootstrap_intervals(run, groups, repeats, seed, clusters=clusters)
        table["ranked"] = table["n"] >= least
        table.loc[~table["ranked"], ["low", "high"]] = np.nan
        tables.append(_named(table, name))
    return pd.concat(tables, ignore_index=True)


def gaps(
    predictions: pd.DataFrame,
    groups: pd.DataFrame,
    least: int = LEAST,
    repeats: int = 1000,
    seed: int = 0,
    *,
    clusters: pd.Series | None = None,
) -> pd.DataFrame:
    """Measure, for each kind of group, how far the best group is from the worst.

    The interval is of the difference between these two groups, in resamples in which both are drawn together. That
    they were picked for being best and worst makes the gap too large on average, the more groups there are and the
    smaller they are; the interval does not know of the picking.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`.
        groups: valid under :data:`openfer.schemas.GROUPS`.
        least: groups of fewer samples do not take part; a kind with fewer than two others has no gap.
        repeats: of the bootstrap.
        seed: of its draws.
        clusters: person by sample id; None takes the column ``subject`` of the predictions, where they have one.

    Returns:
        One row per run, kind and score: what names the run, then ``by, metric, groups`` (how many are ranked),
        ``best, worst, n_best, n_worst, gap, low, high``; a gap is 0 or more.
    """
    tables = [
        _named(_gaps_of_run(run, groups, least, repeats, seed, clusters), name) for name, run in runs_in(predictions)
    ]
    return pd.concat(tables, ignore_index=True)


_GAP = ("by", "metric", "groups", "best", "worst", "n_best", "n_worst", "gap", "low", "high")


def _gaps_of_run(
    run: pd.DataFrame, groups: pd.DataFrame, least: int, repeats: int, seed: int, clusters: pd.Series | None
) -> pd.DataFrame:
    found = resample(run, groups, repeats, seed, clusters=clusters)
    rows = []
    ranked = found.groups[(found.groups["n"] >= least) & (found.groups["by"] != ALL)]
    for by, kind in ranked.groupby("by", sort=False):
        if len(kind) < 2:
            continue
        places = kind.index.to_numpy()
        for metric in SCORES:
            sign = -1 if metric in LOWER_IS_BETTER else 1
            values = sign * found.values[metric][places]
            best, worst = places[int(values.argmax())], places[int(values.argmin())]
            apart = sign * (found.replicates[metric][:, best] - found.replicates[metric][:, worst])
            low, high = percentiles(apart)
            names, sizes = found.groups["group"], found.groups["n"]
            gap = float(values.max() - values.min())
            row = (by, metric, len(kind), names[best], names[worst], sizes[best], sizes[worst], gap, low, high)
            rows.append(dict(zip(_GAP, row, strict=True)))
    return pd.DataFrame(rows, columns=list(_GAP))


def _named(table: pd.DataFrame, name: dict[str, object]) -> pd.DataFrame:
    return pd.concat([pd.DataFrame([name] * len(table), columns=list(name), index=table.index), table], axis=1)
