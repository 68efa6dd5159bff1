"""Whether the rows of a study differ: on the same faces, and beyond what another seed would change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from openfer.evaluation.bootstrap import CONFIDENCE, units_of_all
from openfer.evaluation.compare import SIGNIFICANCE, above
from openfer.evaluation.entries import ORACLE
from openfer.evaluation.predictions import classified
from openfer.evaluation.statistics import holm, resampled_means

COLUMNS = (
    *("column", "row", "against", "difference", "low", "high", "standard_error", "of_faces", "of_seeds", "seeds"),
    *("n", "people", "p_value", "comparisons", "corrected", "distinguishable"),
)

_WHERE = ("row", "column")


@dataclass(frozen=True)
class _Runs:
    """The runs of some rows on the same faces.

    Attributes:
        accuracy: by row and seed.
        replicates: the same in resamples of the people, which are the same ones for all runs, (R,).
        n: faces.
        people: units that were drawn.
        known: whether these are people, and not faces.
    """

    accuracy: dict[tuple[str, int], float]
    replicates: dict[tuple[str, int], np.ndarray]
    n: int
    people: int
    known: bool

    def seeds(self, row: str) -> set[int]:
        return {seed for name, seed in self.accuracy if name == row}


def compare_rows(
    rows: Sequence[str],
    answers: pd.DataFrame,
    facts: pd.DataFrame,
    cells: pd.DataFrame,
) -> pd.DataFrame:
    """Compare every two rows of each column by their mean accuracy over the seeds that both have.

    The error of a difference has two parts: drawing the people of the test set again, the same ones for all seeds
    (``of_faces``), and training again (``of_seeds``, the standard deviation of the difference between seeds, over the
    root of their number). Both are added in quadrature, and the probability is by Student's t with the degrees of
    freedom of Welch and Satterthwaite; with one seed nothing is known of training, and only the first part is in it.

    Args:
        rows: of the study, in order.
        answers: predictions of all finished cells, with ``row`` and ``column``; only the faces that count. Of several
            tasks the first one is compared, of the selections each row's main one, unless it is an oracle.
        facts: of all finished cells: ``row, column, selection, main_selection``.
        cells: ``row, column, seed, fold`` and ``state``. A seed counts if it has run every fold that any seed of its
            row has run.

    Returns:
        :data:`COLUMNS`; accuracies are pooled over folds and differences in [-1, 1]. ``people`` is null where nobody is
        known, ``of_seeds`` with one seed. ``corrected`` is after Holm's correction for the ``comparisons`` of a column.
        Rows that were tested on unlike faces are not compared.
    """
    main = facts[facts["main_selection"].astype(bool) & (facts["selection"] != ORACLE)]
    chosen = classified(answers.merge(main[[*_WHERE, "selection"]].drop_duplicates(), on=[*_WHERE, "selection"]))
    done = cells[cells["state"] == "done"]
    ran = done.groupby([*_WHERE, "seed"])["fold"].nunique().rename("ran").reset_index()
    ran = ran.merge(done.groupby(list(_WHERE))["fold"].nunique().rename("there").reset_index(), on=list(_WHERE))
    chosen = chosen.merge(ran[ran["ran"] == ran["there"]], on=[*_WHERE, "seed"])
    found = []
    for column, own in chosen.groupby("column", sort=False):
        first_task = own[own["task"] == own["task"].iloc[0]]
        made = [pair for runs in _runs(first_task) for pair in _every_two(runs, rows)]
        corrected = holm([pair["p_value"] for pair in made])
        found += [
            pair
            | {"column": column, "comparisons": len(made), "corrected": p, "distinguishable": bool(p < SIGNIFICANCE)}
            for pair, p in zip(made, corrected, strict=True)
        ]
    return pd.DataFrame(found, columns=list(COLUMNS))


def against_the_first(compared: pd.DataFrame) -> list[str]:
    """Return the comparisons with each column's first row as sentences, one for each other row."""
    several = compared["column"].nunique() > 1
    first = compared[compared["against"] == compared.groupby("column")["against"].transform("first")]
    return [
        (f"On {pair['column']}: " if several else "") + _in_words({str(name): value for name, value in pair.items()})
        for pair in first.to_dict("records")
    ]


def _in_words(pair: Mapping[str, Any]) -> str:
    verdict = "a difference beyond the error" if pair["distinguishable"] else "indistinguishable"
    alone = pair["seeds"] == 1
    seeds, of_what = (
        ("one seed", "faces alone") if alone else (f"mean of {pair['seeds']:.0f} seeds", "faces and training")
    )
    who = "" if pd.isna(pair["people"]) else f" of {pair['people']:,.0f} people"
    return (
        f"{pair['row']} is {above(pair['difference'])} {pair['against']} ({seeds}, standard error "
        f"{100 * pair['standard_error']:.1f} of {of_what}, n = {pair['n']:,.0f}{who}, p = {pair['p_value']:.2g}): "
        f"{verdict} after correction for {pair['comparisons']:.0f} comparison{'s' * (pair['comparisons'] > 1)}."
    )


def _runs(answers: pd.DataFrame) -> Iterator[_Runs]:
    """Yield the runs of one column that answered the same faces."""
    same: dict[tuple[str, ...], dict[tuple[str, int], pd.DataFrame]] = {}
    for _, run in answers.groupby(["row", "seed"], sort=False):
        ordered = run.sort_values("sample_id", ignore_index=True)
        key = str(run["row"].iloc[0]), int(run["seed"].iloc[0])
        same.setdefault(tuple(ordered["sample_id"]), {})[key] = ordered
    for runs in same.values():
        tables = list(runs.values())
        unit, known = units_of_all(tables)
        right = np.stack([(table["y_true"] == table["y_pred"]).to_numpy(dtype=float) for table in tables])
        yield _Runs(
            dict(zip(runs, right.mean(axis=1).tolist(), strict=True)),
            dict(zip(runs, resampled_means(right, unit), strict=True)),
            right.shape[1],
            int(unit.max()) + 1,
            known,
        )


def _every_two(runs: _Runs, rows: Sequence[str]) -> Iterator[dict[str, Any]]:
    for against, row in combinations(rows, 2):
        seeds = sorted(runs.seeds(row) & runs.seeds(against))
        if seeds:
            yield {"row": row, "against": against} | _difference(runs, row, against, seeds)


def _difference(runs: _Runs, row: str, against: str, seeds: Sequence[int]) -> dict[str, Any]:
    from scipy.stats import t

    by_seed = np.array([runs.accuracy[row, seed] - runs.accuracy[against, seed] for seed in seeds])
    replicates = np.mean([runs.replicates[row, seed] - runs.replicates[against, seed] for seed in seeds], axis=0)
    difference, of_faces = float(by_seed.mean()), float(replicates.std(ddof=1))
    parts = [(of_faces**2, runs.people - 1)]
    of_seeds = np.nan
    if len(seeds) > 1:
        of_seeds = float(by_seed.std(ddof=1) / np.sqrt(len(seeds)))
        parts.append((of_seeds**2, len(seeds) - 1))
    error = float(np.sqrt(sum(variance for variance, _ in parts)))
    reach, p_value = np.nan, float(difference == 0)
    if runs.people < 2:
        p_value = 1.0
    elif error > 0:
        freedom = error**4 / sum(variance**2 / degrees for variance, degrees in parts)
        reach = float(t.ppf((1 + CONFIDENCE) / 2, freedom)) * error
        p_value = float(2 * t.sf(abs(difference) / error, freedom))
    return {
        "difference": difference,
        "low": np.maximum(difference - reach, -1.0),  # two seeds that disagree leave nearly all open
        "high": np.minimum(difference + reach, 1.0),
        "standard_error": error,
        "of_faces": of_faces,
        "of_seeds": of_seeds,
        "seeds": len(seeds),
        "n": runs.n,
        "people": runs.people if runs.known else np.nan,
        "p_value": p_value,
    }
