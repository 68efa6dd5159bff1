"""For whom a number holds: every score by group, and how far the best group is from the worst."""

import numpy as np
import pandas as pd

from openfer.evaluation.bootstrap import Resampled, intervals, percentiles, resample
from openfer.evaluation.groups import ALL
from openfer.evaluation.metrics import METRICS
from openfer.evaluation.predictions import runs_in

LEAST = 30
"""Fewer samples than this are shown with their n and not ranked."""

LEAST_PEOPLE = 10
"""Nor are groups of fewer people than this: a bootstrap of a handful says little of others."""

_GAP = ("by", "metric", "groups", "best", "worst", "n_best", "n_worst", "gap", "low", "high")


def fairness(
    predictions: pd.DataFrame, groups: pd.DataFrame, least: int = LEAST, repeats: int = 1000, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score every run of a table on all its samples and on each group, and measure the gaps between groups.

    The interval of a gap is of the difference between the two groups, in resamples in which both are drawn together.
    That they were picked for being best and worst makes the gap too large on average, the more groups there are and
    the smaller they are; the interval does not know of the picking.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`.
        groups: valid under :data:`openfer.schemas.GROUPS`.
        least: groups of fewer samples are not ranked, nor those of fewer people than :data:`LEAST_PEOPLE`.
        repeats: of the bootstrap.
        seed: of its draws.

    Returns:
        One row per run, group and score: what names the run, then the columns of
        :func:`openfer.evaluation.bootstrap.bootstrap_intervals`, and ``ranked``, False for a small group, which has
        no interval.

        One row per run, kind of groups and score, for kinds with at least two ranked groups: what names the run, then
        ``by, metric, groups`` (how many are ranked), ``best, worst, n_best, n_worst, gap, low, high``; a gap is 0 or
        more.

    Raises:
        DataError: if a run has a sample twice.
    """
    scores, gaps = [], []
    for name, run in runs_in(predictions):
        found = resample(run, groups, repeats, seed)
        table = intervals(found)
        table["ranked"] = _large_enough(table, least)
        table.loc[~table["ranked"], ["low", "high"]] = np.nan
        scores.append(_named(table, name))
        gaps.append(_named(_gaps(found, least), name))
    return pd.concat(scores, ignore_index=True), pd.concat(gaps, ignore_index=True)


def _gaps(found: Resampled, least: int) -> pd.DataFrame:
    rows = []
    ranked = found.groups[_large_enough(found.groups, least) & (found.groups["by"] != ALL)]
    for by, kind in ranked.groupby("by", sort=False):
        if len(kind) < 2:
            continue
        places = kind.index.to_numpy()
        for metric, scores in found.values.items():
            sign = 1 if METRICS[metric].higher_is_better else -1
            values = sign * scores[places]
            worst, best = places[np.argsort(values, kind="stable")[[0, -1]]]
            apart = sign * (found.replicates[metric][:, best] - found.replicates[metric][:, worst])
            low, high = percentiles(apart)
            names, sizes = found.groups["group"], found.groups["n"]
            gap = float(values.max() - values.min())
            row = (by, metric, len(kind), names[best], names[worst], sizes[best], sizes[worst], gap, low, high)
            rows.append(dict(zip(_GAP, row, strict=True)))
    return pd.DataFrame(rows, columns=list(_GAP))


def _large_enough(groups: pd.DataFrame, least: int) -> pd.Series:
    return (groups["n"] >= least) & (groups["people"] >= LEAST_PEOPLE)


def _named(table: pd.DataFrame, name: dict[str, object]) -> pd.DataFrame:
    return pd.concat([pd.DataFrame([name] * len(table), columns=list(name), index=table.index), table], axis=1)
