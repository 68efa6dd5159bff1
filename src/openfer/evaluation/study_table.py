"""A study's results: what was measured over seeds and folds beside what is published."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from openfer.evaluation.metrics import METRICS
from openfer.evaluation.predictions import classes_in
from openfer.evaluation.published import find_published
from openfer.evaluation.published_rows import is_published_on
from openfer.evaluation.results_table import FACTS
from openfer.evaluation.scores import summarise
from openfer.evaluation.study_comparison import against_the_first
from openfer.evaluation.text_tables import markdown_table

CELL = ("row", "column", "seed", "fold")
"""What names a cell of a study."""

COLUMNS = (
    *("row", "column", "measure", "unit", "published", "ours", "sd", "difference", "seeds", "folds", "n"),
    *("selection", "main", "trained_on", *FACTS, "missing"),
)


@dataclass(frozen=True)
class Wanted:
    """One line of a study's table.

    Attributes:
        row: name of the row.
        column: name of the column.
        measure: a key of :data:`openfer.evaluation.metrics.METRICS`.
        seeds: that there are to be.
        folds: that there are to be, of each seed.
        trained_on: names of datasets.
        published: the published figure in the measure's unit; None where there is none.
    """

    row: str
    column: str
    measure: str
    seeds: tuple[int, ...]
    folds: tuple[int, ...]
    trained_on: tuple[str, ...]
    published: float | None = None


def printed_figure(paper: str, table: str, method: str, variant: str, dataset: str, measure: str) -> float | None:
    """Return a published figure in the measure's unit, or None if the paper has none for it."""
    metric = METRICS[measure]
    found = find_published(paper, table, method, metric.dimension or variant, dataset, *metric.printed)
    return float(found.iloc[0]) if len(found) else None


def study_table(
    wanted: Sequence[Wanted], answers: pd.DataFrame, facts: pd.DataFrame, cells: pd.DataFrame, rows: pd.DataFrame
) -> pd.DataFrame:
    """Return one line per row, column, measure and selection.

    A seed of which a fold is missing does not count: its mean would be that of other faces.

    Args:
        wanted: the lines, in order.
        answers: predictions of all finished cells, :data:`openfer.schemas.PREDICTIONS` with the columns of
            :data:`CELL`; only the faces that count. Of several tasks the first one is scored.
        facts: of all finished cells: :data:`CELL`, ``selection, main_selection`` and :data:`FACTS`.
        cells: :data:`CELL`, ``state`` (``done`` or ``failed``) and ``error``.
        rows: of the datasets, as far as a measure looks at sequences.

    Returns:
        :data:`COLUMNS`. ``ours`` is the mean and ``sd`` the sample standard deviation over seeds, NaN for one seed;
        ``difference`` is ours minus published, NaN where ours are of another dataset than that; ``missing``
        says what failed, in words, empty if nothing did. Oracle selections are left out: they are no result.
    """
    lines = [line for want in wanted for line in _lines(want, answers, facts, cells, rows)]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _lines(
    want: Wanted, answers: pd.DataFrame, facts: pd.DataFrame, cells: pd.DataFrame, rows: pd.DataFrame
) -> list[dict[str, Any]]:
    metric = METRICS["fold_accuracy" if want.measure == "accuracy" else want.measure]  # as papers print it
    known: dict[str, Any] = {"row": want.row, "column": want.column, "measure": want.measure, "unit": metric.unit}
    known |= {"published": np.nan if want.published is None else want.published}
    known |= {"trained_on": ", ".join(want.trained_on), "missing": _missing(_of(cells, want))}
    done = _done(_of(cells, want))
    own, told = _of(answers, want), _of(facts, want)
    if own.empty:
        return [known | {"ours": np.nan, "sd": np.nan, "difference": np.nan, "seeds": 0, "n": 0, "main": True}]
    lines, comparable = [], is_published_on(want.column, want.trained_on, len(classes_in(own)))
    for selection in dict.fromkeys(own["selection"]):
        if selection == "oracle_test":
            continue
        chosen = own[(own["selection"] == selection) & (own["task"] == own["task"].iloc[0])]
        chosen = chosen[[done.get(seed, set()) == set(want.folds) for seed in chosen["seed"]]]
        fact = told[told["selection"] == selection]
        found = summarise(chosen, [metric.name], rows).iloc[0].to_dict() if len(chosen) else {}
        mean, sd = (metric.scale * found.get(f"{metric.name}{end}", np.nan) for end in ("", "_std"))
        lines.append(
            known
            | {"ours": mean, "sd": sd}
            | {"difference": mean - known["published"] if comparable else np.nan}
            | {"seeds": found.get("seeds", 0), "folds": len(want.folds)}
            | {"n": found.get(f"{metric.dimension}_n" if metric.dimension else "n", 0)}
            | {"selection": selection, "main": bool(fact["main_selection"].iloc[0])}
            | {name: ", ".join(dict.fromkeys(fact[name].astype(str))) for name in FACTS}
        )
    return lines


def _of(table: pd.DataFrame, want: Wanted) -> pd.DataFrame:
    return table[(table["row"] == want.row) & (table["column"] == want.column)]


def _missing(cells: pd.DataFrame) -> str:
    failed = cells[cells["state"] == "failed"]
    return "; ".join(f"seed {cell.seed}, fold {cell.fold}: {cell.error}" for cell in failed.itertuples())


def _done(cells: pd.DataFrame) -> dict[Any, set[int]]:
    """Return the folds that have run, by seed."""
    return {seed: set(own["fold"]) for seed, own in cells[cells["state"] == "done"].groupby("seed")}


def to_markdown(title: str, table: pd.DataFrame, compared: pd.DataFrame) -> str:
    """Return a study's table as Markdown; what was not measured says why.

    Args:
        title: of the study.
        table: from :func:`study_table`.
        compared: from :func:`openfer.evaluation.study_comparison.compare_rows`; told is who was put against the first.
    """
    names = (
        *("row", "column", "measure", "published", "ours (mean ± sd)", "seeds", "folds", "n", "selection"),
        *("trained on", "missing"),
    )
    lines = [
        (
            *(line["row"], line["column"], f"{line['measure']} {line['unit']}".strip(), _number(line["published"])),
            *(ours_in_words(line["ours"], line["sd"]), line["seeds"], _number(line["folds"]), line["n"]),
            *(line["selection"] if isinstance(line["selection"], str) else "", line["trained_on"], line["missing"]),
        )
        for line in table.to_dict("records")
    ]
    told = "\n".join(f"- {sentence}" for sentence in against_the_first(compared))
    return f"### {title}\n\n{markdown_table(pd.DataFrame(lines, columns=list(names)))}\n" + (
        f"\n{told}\n" if told else ""
    )


def ours_in_words(mean: float, spread: float) -> str:
    """Return mean and spread over seeds as they are printed; nothing where nothing was measured."""
    if np.isnan(mean):
        return ""
    digits = 3 if abs(mean) < 1 else 1
    return f"{mean:.{digits}f}" + ("" if np.isnan(spread) else f" ± {spread:.{digits}f}")


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:g}"
