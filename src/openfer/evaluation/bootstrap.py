"""Percentile bootstrap of every score, for the whole and for groups, by person where people are known.

Several images of a person are not independent. A resample therefore draws people with all their images; images whose
person is not known are drawn one by one. Scores are sums over people of a few counts, so that a resample is one row
of weights, and all groups are scored from the same resamples: their differences keep what they share.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from openfer.evaluation.calibration import BINS
from openfer.evaluation.groups import membership
from openfer.evaluation.metrics import METRICS, RESAMPLED, Answers, contributions, named
from openfer.evaluation.predictions import classes_in, single_run
from openfer.seeds import generator_for

_ROUNDING = 1e-12
"""By which replicates that are all the same differ."""

CONFIDENCE = 0.95
"""Of the intervals."""

AT_ONCE = 1 << 22
"""Weights, or counts, in memory at once: 32 MB."""


@dataclass(frozen=True)
class Resampled:
    """Scores of G groups in the data and in R resamples of it.

    Attributes:
        groups: one row per group, ``by``, ``group``, ``n`` (samples) and ``people`` (units that are drawn, which are
            samples where no person is known).
        values: by score, (G,).
        replicates: by score, (R, G); NaN where a resample has no sample of the group.
    """

    groups: pd.DataFrame
    values: dict[str, np.ndarray]
    replicates: dict[str, np.ndarray]


def resample(
    predictions: pd.DataFrame, groups: pd.DataFrame | None = None, repeats: int = 1000, seed: int = 0
) -> Resampled:
    """Score a run and its groups with every resampled metric, in the data and in resamples of it.

    Args:
        predictions: one run, valid under :data:`openfer.schemas.PREDICTIONS`; people are in its column ``subject``.
        groups: valid under :data:`openfer.schemas.GROUPS`.
        repeats: how many resamples.
        seed: of the draws.

    Raises:
        DataError: if the table does not hold one run with the probabilities of its answers.
    """
    from scipy.sparse import coo_array

    single_run(predictions)
    predictions = predictions.sort_values("sample_id", ignore_index=True)  # equal draws whatever the order of rows
    classes = classes_in(predictions)
    unit = units(predictions, subjects(predictions))
    known = membership(predictions, groups)
    places, amounts = contributions(predictions, classes)
    names, width, count = named(*RESAMPLED), 3 * len(classes) + BINS, int(unit.max()) + 1
    shape = (width * len(known.names), count)
    rows = (places[:, known.sample] + width * known.group).ravel()
    columns = np.tile(unit[known.sample], len(places))
    values = amounts[:, known.sample].ravel()
    per_unit = coo_array((values, (rows, columns)), shape=shape).tocsc()  # by unit: the sums stay in the cache

    def scored(weights: np.ndarray) -> np.ndarray:
        sums = (per_unit @ weights).T.reshape(weights.shape[1], len(known.names), width)
        answers = Answers.of_sums(sums, len(classes))
        return np.stack([METRICS[name].of(answers) for name in names])

    at_once = max(1, min(repeats, AT_ONCE // max(shape)))
    replicates = np.concatenate([scored(weights) for weights in draws(count, repeats, seed, at_once)], axis=1)
    members = pd.DataFrame({"group": known.group, "unit": unit[known.sample]}).groupby("group")["unit"]
    return Resampled(
        known.names.assign(n=members.size(), people=members.nunique()),
        dict(zip(names, scored(np.ones((count, 1)))[:, 0], strict=True)),
        dict(zip(names, replicates, strict=True)),
    )


def mean_of_runs(found: Sequence[Resampled]) -> Resampled:
    """Return the mean scores of several runs, such as seeds, in the data and in each resample.

    Args:
        found: of runs that answered the same samples, resampled alike: each resample then draws the same people for all
            of them, and what is left is the sampling of the test set, not the spread over seeds.
    """
    return Resampled(
        found[0].groups,
        {name: np.mean([run.values[name] for run in found], axis=0) for name in found[0].values},
        {name: np.mean([run.replicates[name] for run in found], axis=0) for name in found[0].values},
    )


def bootstrap_intervals(
    predictions: pd.DataFrame, groups: pd.DataFrame | None = None, repeats: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Return the scores of a run and of its groups, each with a percentile interval.

    Args:
        predictions: one run, valid under :data:`openfer.schemas.PREDICTIONS`; people are in its column ``subject``.
        groups: valid under :data:`openfer.schemas.GROUPS`.
        repeats: how many resamples.
        seed: of the draws.

    Returns:
        One row per group and resampled metric: ``by, group, n, people, metric, value, low, high``. The first group,
        ``by`` all, is the whole. Where all resamples agree, the interval is NaN; that of an accuracy of 0 or 1 is
        Wilson's for the number of people.
    """
    return intervals(resample(predictions, groups, repeats, seed))


def intervals(found: Resampled) -> pd.DataFrame:
    """Return the table of :func:`bootstrap_intervals` from resamples that are there."""
    tables = []
    for place, name in enumerate(found.values):
        low, high = percentiles(found.replicates[name])
        table = found.groups.assign(metric=name, value=found.values[name], low=low, high=high)
        agree = np.isclose(low, high, rtol=0, atol=_ROUNDING)
        table.loc[agree, ["low", "high"]] = np.nan
        if name == "accuracy":
            extreme = table[agree & table["value"].isin([0.0, 1.0])]
            bounds = [wilson(row.people if row.value == 1 else 0, row.people) for row in extreme.itertuples()]
            table.loc[extreme.index, ["low", "high"]] = np.array(bounds).reshape(-1, 2)
        tables.append(table.assign(place=place))
    together = pd.concat(tables).rename_axis("number").reset_index().sort_values(["number", "place"])
    return together.drop(columns=["number", "place"]).reset_index(drop=True)


def wide(table: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return one row per group with a column for each metric; the interval stays that of the accuracy.

    Args:
        table: rows of :func:`bootstrap_intervals`, of any number of runs.
        key: the columns that name a row.
    """
    by_metric = {str(name): own.rename(columns={"value": name}) for name, own in table.groupby("metric", sort=False)}
    whole = by_metric.pop("accuracy")
    for name, own in by_metric.items():
        whole = whole.merge(own[[*key, name]], on=list(key), how="left", validate="one_to_one")
    return whole


def percentiles(replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of the percentile interval over the first axis; resamples without a value are left out.

    Args:
        replicates: (R, ...).
    """
    outside = 50 * (1 - CONFIDENCE)
    low, high = np.nanpercentile(replicates, [outside, 100 - outside], axis=0)
    return low, high


def units(predictions: pd.DataFrame, people: pd.Series | None) -> np.ndarray:
    """Return the number of what each sample is drawn with: its person, or itself; int64, (N,), from 0 without gaps.

    Args:
        predictions: one run.
        people: person by sample id; None where nobody is known. A sample without a person is one of its own.
    """
    if people is None:
        return np.arange(len(predictions))
    known = people[~people.index.duplicated()].reindex(predictions["sample_id"])
    found, names = pd.factorize(known.to_numpy(dtype=object))
    alone = found < 0
    found[alone] = len(names) + np.arange(alone.sum())
    return found.astype(np.int64)


def units_of_all(runs: Sequence[pd.DataFrame]) -> tuple[np.ndarray, bool]:
    """Return the units of runs that answered the same samples, in the order of the sample ids, and if they are people.

    Args:
        runs: at least one; people are those of the first that knows any.
    """
    people = next((known for run in runs if (known := subjects(run)) is not None), None)
    return units(runs[0].sort_values("sample_id"), people), people is not None


def subjects(predictions: pd.DataFrame) -> pd.Series | None:
    """Return the person of each sample by its id, as the predictions say; None where none is known.

    People of one name in two datasets are two.
    """
    if "subject" not in predictions or predictions["subject"].isna().all():
        return None
    people = predictions["subject"].astype("string")
    if "dataset" in predictions:
        people = predictions["dataset"].astype("string") + "/" + people
    return people.set_axis(predictions["sample_id"])


def draws(count: int, repeats: int, seed: int, at_once: int) -> Iterator[np.ndarray]:
    """Yield how often each of some units is in each resample, float64, (count, up to ``at_once``)."""
    generator = generator_for(seed, "bootstrap")
    for start in range(0, repeats, at_once):
        drawn = [
            np.bincount(generator.integers(0, count, count, dtype=np.int32), minlength=count)
            for _ in range(min(at_once, repeats - start))
        ]
        yield np.stack(drawn, axis=1).astype(np.float64)


def wilson(right: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, of which ``right`` of ``n`` are counted."""
    from scipy.stats import binomtest

    interval = binomtest(right, n).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)
