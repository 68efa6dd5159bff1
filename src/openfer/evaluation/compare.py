"""Compare methods on the same faces: the difference of their accuracies, its standard error and its significance.

The variance of a difference has two parts: drawing the people of the test set again, and training again. One seed shows
the first part only.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.bootstrap import AT_ONCE, CONFIDENCE, draws, units_of_all
from openfer.evaluation.predictions import classified, single_run

SIGNIFICANCE = 0.05
"""A difference is significant if its corrected probability is below this."""

COLUMNS = (
    *("first", "second", "selection", "task", "difference", "low", "high", "standard_error", "of_faces", "of_training"),
    *("seeds", "n", "people", "only_first", "only_second", "mcnemar", "p_value"),
)
"""Of :func:`compare`."""

CORRECTED = ("comparisons", "corrected", "distinguishable")
"""The columns that :func:`correct` adds."""


def compare(answers: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Compare every two methods by their mean accuracy over the seeds that both have.

    With one seed, ``standard_error`` is ``of_faces``, the standard deviation of the difference in resamples of people
    (of faces, where no person is known), and ``p_value`` is the larger one of Student's t and McNemar's exact test,
    which takes images as independent. With more seeds, ``of_training`` is the standard deviation of the difference
    between seeds over the root of their number. Both parts are added in quadrature, and Student's t has the degrees of
    freedom of Welch and Satterthwaite.

    Args:
        answers: predictions for one task with the column ``name``; one selection for each name. Seeds that lack a face
            of another seed of the same name are left out.
        names: the compared names, the reference first.

    Returns:
        :data:`COLUMNS`, one row for each pair. ``difference`` is the accuracy of the first minus that of the second, in
        [-1, 1]; ``low`` and ``high`` bound its 95 % interval by Student's t. ``people`` is null where no person is
        known, ``of_training`` with one seed. ``only_first`` and ``only_second`` count the faces that one method alone
        has right, and ``mcnemar`` is the probability of such counts; all three are null with several seeds.

    Raises:
        DataError: if two methods were tested on other faces, or with other labels, or a run has a face twice.
    """
    runs = _runs(answers, names)
    if not runs:
        return pd.DataFrame(columns=list(COLUMNS))
    tables = list(runs.values())
    for run in tables[1:]:
        _refuse_another_test(run, tables[0])
    right = np.stack([(run["y_pred"] == run["y_true"]).to_numpy(dtype=float) for run in tables])
    unit, known = units_of_all(tables)
    people = int(unit.max()) + 1
    resampled = resampled_means(right, unit)
    place = {key: number for number, key in enumerate(runs)}
    rows = []
    for second, first in combinations(names, 2):
        seeds = sorted({seed for name, seed in runs if name == first} & {seed for name, seed in runs if name == second})
        if not seeds:
            continue
        own, other = ([place[name, seed] for seed in seeds] for name in (first, second))
        error = _error(right[own] - right[other], resampled[own] - resampled[other], people)
        told = {what: _both(runs[first, seeds[0]], runs[second, seeds[0]], what) for what in ("selection", "task")}
        size = {"seeds": len(seeds), "n": right.shape[1], "people": people if known else np.nan}
        rows.append({"first": first, "second": second} | told | error | size)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def correct(compared: pd.DataFrame) -> pd.DataFrame:
    """Return comparisons with :data:`CORRECTED`: their number, Holm's probability for it, and the verdict."""
    corrected = holm(compared["p_value"].tolist())
    return compared.assign(comparisons=len(compared), corrected=corrected, distinguishable=corrected < SIGNIFICANCE)


def sentences(compared: pd.DataFrame) -> list[str]:
    """Return corrected comparisons in words, and a caution where a method has one seed."""
    told = [_in_words({str(name): value for name, value in pair.items()}) for pair in compared.to_dict("records")]
    if (compared["seeds"] == 1).any():
        told.append(
            "With one seed the standard error holds the error of drawing faces only. Train more seeds to measure the "
            "error of training."
        )
    return told


def faces_of(answers: pd.DataFrame) -> frozenset[tuple[str, str]]:
    """Return the tested faces with their true labels: methods with the same ones can be compared."""
    return frozenset(zip(answers["sample_id"], answers["y_true"], strict=True))


def above(difference: float) -> str:
    """Return in words how far an accuracy is from another, such as ``3.0 points below``."""
    if difference == 0:
        return "level with"
    return f"{abs(100 * difference):.1f} points {'above' if difference > 0 else 'below'}"


def resampled_means(values: np.ndarray, units: np.ndarray, repeats: int = 1000, seed: int = 0) -> np.ndarray:
    """Return the means of several rows of values in resamples of people; all rows share the resamples.

    Args:
        values: (M, N), such as right or wrong (1 or 0) of M methods on the same N samples.
        units: int64, (N,), the person of each sample, from 0 without gaps (:func:`openfer.evaluation.bootstrap.units`).
        repeats: number of resamples, R.
        seed: of the draws.

    Returns:
        (M, R).
    """
    people = int(units.max()) + 1
    sums = np.stack([np.bincount(units, row, people) for row in values])
    sizes = np.bincount(units, minlength=people).astype(float)
    at_once = max(1, min(repeats, AT_ONCE // people))
    drawn = [(sums @ weights) / (sizes @ weights) for weights in draws(people, repeats, seed, at_once)]
    return np.concatenate(drawn, axis=1)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Return probabilities corrected for their number (Holm, A Simple Sequentially Rejective Test, 1979).

    The smallest of m is multiplied by m, the next one by m - 1, and so on; none is smaller than the one before it,
    and none exceeds 1.

    Args:
        p_values: (m,), in [0, 1].

    Returns:
        float64, (m,), in the order given.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(steps, 1)
    return corrected


def _runs(answers: pd.DataFrame, names: Sequence[str]) -> dict[tuple[str, int], pd.DataFrame]:
    """Return the complete runs by name and seed, each in the order of its sample ids."""
    runs: dict[tuple[str, int], pd.DataFrame] = {}
    for name, own in classified(answers).groupby("name", sort=False):
        if name not in names:
            continue
        seeds = {int(str(seed)): run for seed, run in own.groupby("seed")}
        whole = max(len(run) for run in seeds.values())
        for seed, run in seeds.items():
            single_run(run)
            if len(run) == whole:
                runs[str(name), seed] = run.set_axis(run["sample_id"].to_numpy(), axis="index").sort_index()
    return runs


def _error(differences: np.ndarray, resampled: np.ndarray, people: int) -> dict[str, Any]:
    """Return the difference of two methods with its error, interval and probability.

    Args:
        differences: of right answers by seed and face, each in {-1, 0, 1}, (S, N).
        resampled: the difference of accuracies by seed and resample, (S, R).
        people: number of units that were drawn.
    """
    from scipy.stats import binomtest, t

    by_seed, seeds = differences.mean(axis=1), len(differences)
    difference, of_faces = float(by_seed.mean()), float(resampled.mean(axis=0).std(ddof=1))
    parts, of_training = [(of_faces**2, people - 1)], np.nan
    if seeds > 1:
        of_training = float(by_seed.std(ddof=1) / np.sqrt(seeds))
        parts.append((of_training**2, seeds - 1))
    error = float(np.sqrt(sum(variance for variance, _ in parts)))
    reach, p_value = np.nan, float(difference == 0)
    if people < 2:
        p_value = 1.0
    elif error > 0:
        freedom = error**4 / sum(variance**2 / degrees for variance, degrees in parts)
        reach = float(t.ppf((1 + CONFIDENCE) / 2, freedom)) * error
        p_value = float(2 * t.sf(abs(difference) / error, freedom))
    counts = {"only_first": np.nan, "only_second": np.nan, "mcnemar": np.nan}
    if seeds == 1:
        first, second = int((differences > 0).sum()), int((differences < 0).sum())
        mcnemar = float(binomtest(first, first + second).pvalue) if first + second else 1.0
        counts = {"only_first": first, "only_second": second, "mcnemar": mcnemar}
        p_value = max(p_value, mcnemar)
    return counts | {
        "difference": difference,
        "low": np.maximum(difference - reach, -1.0),  # two seeds that disagree allow nearly any difference
        "high": np.minimum(difference + reach, 1.0),
        "standard_error": error,
        "of_faces": of_faces,
        "of_training": of_training,
        "p_value": p_value,
    }


def _in_words(pair: Mapping[str, Any]) -> str:
    seeds = "one seed" if pair["seeds"] == 1 else f"mean of {pair['seeds']:.0f} seeds"
    who = "" if pd.isna(pair["people"]) else f" of {pair['people']:,.0f} people"
    verdict = "significant" if pair["distinguishable"] else "not significant"
    several = f" after correction for {pair['comparisons']} comparisons" if pair["comparisons"] > 1 else ""
    return (
        f"{pair['first']} is {above(pair['difference'])} {pair['second']} ({seeds}, {pair['selection']}, standard "
        f"error {100 * pair['standard_error']:.1f}, n = {pair['n']:,.0f} faces{who}, p = {pair['corrected']:.2g}): "
        f"{verdict}{several}."
    )


def _both(first: pd.DataFrame, second: pd.DataFrame, column: str) -> str:
    return ", ".join(dict.fromkeys(str(run[column].iloc[0]) for run in (first, second)))


def _refuse_another_test(run: pd.DataFrame, reference: pd.DataFrame) -> None:
    names = [str(table["name"].iloc[0]) for table in (run, reference)]
    only_one, only_other = run.index.difference(reference.index), reference.index.difference(run.index)
    if len(only_one) or len(only_other):
        raise DataError(
            f"{names[0]} and {names[1]} were tested on other faces: {len(only_one)} only in the first, "
            f"{len(only_other)} only in the second, {len(run.index.intersection(reference.index))} in both, such as "
            f"{[*only_one[:2], *only_other[:2]]}. Predict both on the same split"
        )
    differ = run["y_true"].astype(object) != reference["y_true"].astype(object)
    if differ.any():
        raise DataError(
            f"{names[0]} and {names[1]} have different true labels for {differ.sum()} of {len(run)} samples, the "
            f"first {differ.idxmax()}. They were tested on different versions of the data: predict both again"
        )
