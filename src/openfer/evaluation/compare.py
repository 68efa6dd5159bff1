"""How far apart two runs are, judged on the samples that both of them answered."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.evaluation.bootstrap import units_of_all
from openfer.evaluation.names import run_name
from openfer.evaluation.predictions import runs_in, single_run
from openfer.evaluation.statistics import PairedBootstrap, holm, paired_bootstrap, resampled_means

SIGNIFICANCE = 0.05
"""Below this corrected probability a difference counts as beyond sampling error."""


@dataclass(frozen=True)
class Comparison:
    """A paired comparison of two runs on the same n samples; shares are in [0, 1].

    Attributes:
        first: name of the run that is spoken of.
        second: name of the run that it is measured against.
        selection: the named selection of both.
        task: the task of both.
        seeds: of the first and the second run.
        n: samples.
        difference: accuracy of the first minus accuracy of the second.
        people: who are in them; 0 where nobody is known.
        standard_error: of the difference. Where people are known, of resamples that draw people with all their
            images; else sqrt(var(d) / n) with d_i in {-1, 0, 1} the paired difference of sample i.
        low: lower bound of the 95 % percentile interval of the difference, by person where people are known.
        high: its upper bound.
        only_first: samples that the first alone has right.
        only_second: samples that the second alone has right.
        p_value: McNemar's exact two-sided probability of a split as uneven as these two counts; it treats samples as
            independent, which several images of a person are not.
        p_people: of the resamples by person (:class:`openfer.evaluation.statistics.PairedBootstrap`); None where nobody
            is known.
        comparisons: how many were made together.
        corrected: the larger of both probabilities after Holm's correction for the number of comparisons.
    """

    first: str
    second: str
    selection: str
    task: str
    seeds: tuple[int, int]
    n: int
    people: int
    difference: float
    standard_error: float
    low: float
    high: float
    only_first: int
    only_second: int
    p_value: float
    p_people: float | None
    comparisons: int
    corrected: float

    @property
    def distinguishable(self) -> bool:
        """Whether the difference is beyond the sampling error of this test set."""
        return self.corrected < SIGNIFICANCE

    @property
    def sentence(self) -> str:
        """The result in words, with the difference in percentage points."""
        verdict = "a difference beyond sampling error" if self.distinguishable else "indistinguishable"
        verdict += f" at n = {self.n:,}"
        if self.comparisons > 1:
            verdict += f" after correction for {self.comparisons} comparisons"
        seeds = f"seed {self.seeds[0]}" if self.seeds[0] == self.seeds[1] else f"seeds {self.seeds[0]}, {self.seeds[1]}"
        who = f" of {self.people:,} people" if self.people else ""
        by_person = f", by person p = {self.p_people:.2g}" if self.p_people is not None else ""
        return (
            f"{self.first} is {above(self.difference)} {self.second} (standard error {100 * self.standard_error:.1f}, "
            f"n = {self.n:,}{who}, McNemar p = {self.p_value:.2g}{by_person}, {self.selection}, {seeds}): {verdict}."
        )


def compare(first: pd.DataFrame, second: pd.DataFrame) -> Comparison:
    """Compare two runs sample by sample.

    Args:
        first: the predictions of one run, valid under :data:`openfer.schemas.PREDICTIONS`.
        second: those of the run that it is measured against: same samples, task and selection. People are those of
            the column ``subject`` of either.

    Raises:
        DataError: if a table does not hold exactly one run, or the two differ in task, selection, samples or
            true labels.
    """
    one, other = single_run(first), single_run(second)
    for what in ("task", "selection"):
        if one[what] != other[what]:
            raise DataError(
                f"{_name(one)} has the {what} {one[what]!r} and {_name(other)} {other[what]!r}: they answer different "
                f"questions; compare runs of the same {what}"
            )
    return _every_two([second, first])[0]


def compare_all(predictions: pd.DataFrame, reference: str) -> list[Comparison]:
    """Compare every two runs of the same task, selection and seed, and correct for the number of comparisons.

    Oracle selections are left out: they are no result.

    Args:
        predictions: any number of runs.
        reference: the variant that the others are measured against, such as ``baseline``; of each selection and seed
            its comparisons come first.

    Raises:
        DataError: if no run is of the reference variant, or as :func:`compare` raises.
    """
    runs = [(name, run) for name, run in runs_in(predictions) if name["selection"] != "oracle_test"]
    runs.sort(key=lambda each: each[0]["variant"] != reference)
    if not runs or runs[0][0]["variant"] != reference:
        variants = sorted({str(name["variant"]) for name, _ in runs})
        raise DataError(f"no predictions of the variant {reference!r} to compare with; there are {variants}")
    alike: dict[tuple[Any, ...], list[pd.DataFrame]] = {}
    for name, run in runs:
        alike.setdefault((name["task"], name["selection"], name["seed"]), []).append(run)
    return correct([comparison for group in alike.values() for comparison in _every_two(group)])


def correct(made: Sequence[Comparison]) -> list[Comparison]:
    """Return comparisons with probabilities corrected for just as many as there are of them (Holm)."""
    corrected = holm([max(c.p_value, c.p_people or 0.0) for c in made])
    return [replace(c, comparisons=len(made), corrected=float(p)) for c, p in zip(made, corrected, strict=True)]


def _every_two(runs: Sequence[pd.DataFrame]) -> list[Comparison]:
    """Compare every run with each of those before it; the people of a resample are the same ones for all of them."""
    if len(runs) < 2:
        return []
    names, right = [single_run(run) for run in runs], _right(runs)
    unit, known = units_of_all(runs)
    replicates = resampled_means(right, unit)
    made = []
    for second, first in combinations(range(len(runs)), 2):
        d = right[first] - right[second]
        resampled = paired_bootstrap(float(d.mean()), replicates[first] - replicates[second], int(unit.max()) + 1)
        made.append(_comparison(names[first], names[second], d, resampled, known=known))
    return made


def _comparison(
    first: Mapping[str, Any], second: Mapping[str, Any], d: np.ndarray, resampled: PairedBootstrap, *, known: bool
) -> Comparison:
    """Judge the paired differences of two runs, each in {-1, 0, 1}, by themselves and by person where one is known."""
    from scipy.stats import binomtest

    only_first, only_second = int((d > 0).sum()), int((d < 0).sum())
    discordant = only_first + only_second
    mcnemar = float(binomtest(only_first, discordant).pvalue) if discordant else 1.0
    independent = float(np.sqrt(d.var(ddof=1) / len(d))) if len(d) > 1 else float("nan")
    return Comparison(
        first=_name(first),
        second=_name(second),
        selection=str(first["selection"]),
        task=str(first["task"]),
        seeds=(int(first["seed"]), int(second["seed"])),
        n=len(d),
        people=resampled.people if known else 0,
        difference=float(d.mean()),
        standard_error=resampled.standard_error if known else independent,
        low=resampled.low,
        high=resampled.high,
        only_first=only_first,
        only_second=only_second,
        p_value=mcnemar,
        p_people=resampled.p_value if known else None,
        comparisons=1,
        corrected=max(mcnemar, resampled.p_value) if known else mcnemar,
    )


def sentences(comparisons: Sequence[Comparison]) -> list[str]:
    """Say every comparison, and what their number of seeds can and cannot tell.

    Returns:
        One sentence per comparison; then, per pair, either the mean and spread of the difference over
        seeds, or that one seed says nothing of training noise.
    """
    said = [comparison.sentence for comparison in comparisons]
    pairs: dict[tuple[str, str, str, str], list[float]] = {}
    for c in comparisons:
        pairs.setdefault((c.first, c.second, c.selection, c.task), []).append(c.difference)
    single = [f"{first} and {second}" for (first, second, *_), values in pairs.items() if len(values) == 1]
    for (first, second, selection, _), values in pairs.items():
        if len(values) > 1:
            said.append(
                f"Over {len(values)} seeds {first} is {above(float(np.mean(values)))} {second} on average, with a "
                f"standard deviation of {100 * np.std(values, ddof=1):.1f} points between seeds ({selection})."
            )
    if single:
        said.append(
            f"One seed each of {', '.join(dict.fromkeys(single))}: the standard error is that of drawing the test "
            "set. One seed cannot speak for training noise; train several seeds to see it."
        )
    return said


def comparison_table(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """Return the comparisons as a table, one row each."""
    fields = ("first", "second", "selection", "task", "n", "people", "difference", "standard_error", "low", "high")
    counts = ("only_first", "only_second", "p_value", "p_people", "comparisons", "corrected", "distinguishable")
    seeds = ("seed_first", "seed_second")
    more = ({"distinguishable": c.distinguishable, **dict(zip(seeds, c.seeds, strict=True))} for c in comparisons)
    rows = [asdict(c) | own for c, own in zip(comparisons, more, strict=True)]
    return pd.DataFrame(rows, columns=[*fields, *seeds, *counts])


def above(difference: float) -> str:
    """Return in words how far an accuracy is from another, such as ``3.0 points below``."""
    if difference == 0:
        return "level with"
    return f"{abs(100 * difference):.1f} points {'above' if difference > 0 else 'below'}"


def _right(runs: Sequence[pd.DataFrame]) -> np.ndarray:
    """Return 1 where a run is right and 0 where it is not, float64, (runs, samples), samples in the order of their ids.

    Raises:
        DataError: if a run has other samples or other true labels than the first.
    """
    ordered = [run.set_index("sample_id").sort_index() for run in runs]
    for run in ordered[1:]:
        _refuse_another_test(run, ordered[0])
    return np.stack([(run["y_pred"] == run["y_true"]).to_numpy(dtype=float) for run in ordered])


def _refuse_another_test(run: pd.DataFrame, reference: pd.DataFrame) -> None:
    names = [run_name(str(table["method"].iloc[0]), str(table["variant"].iloc[0])) for table in (run, reference)]
    only_one, only_other = run.index.difference(reference.index), reference.index.difference(run.index)
    if len(only_one) or len(only_other):
        raise DataError(
            f"{names[0]} and {names[1]} were not tested on the same samples: {len(only_one)} only in the first, "
            f"{len(only_other)} only in the second, {len(run.index.intersection(reference.index))} in both, such as "
            f"{[*only_one[:2], *only_other[:2]]}. A paired comparison needs the same test set: predict both on the "
            "same split"
        )
    differ = run["y_true"].astype(object) != reference["y_true"].astype(object)
    if differ.any():
        raise DataError(
            f"{names[0]} and {names[1]} have different true labels for {differ.sum()} of {len(run)} samples, the "
            f"first {differ.idxmax()}: they were tested on different versions of the data; predict both again"
        )


def _name(run: Mapping[str, Any]) -> str:
    return run_name(run["method"], run["variant"])
