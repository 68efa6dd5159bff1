"""A study's results: what was measured over seeds and folds beside what is published."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from openfer.evaluation import compare as comparison
from openfer.evaluation.compare import compare, correct, faces_of, sentences
from openfer.evaluation.conditions import Measured
from openfer.evaluation.entries import ORACLE
from openfer.evaluation.metrics import METRICS, Metric
from openfer.evaluation.predictions import classes_in, classified
from openfer.evaluation.published_rows import NOTHING_PUBLISHED, PublishedFigure, reasons
from openfer.evaluation.results_table import FACTS
from openfer.evaluation.scores import summarise
from openfer.evaluation.stability import stability
from openfer.evaluation.text_tables import markdown_table

CELL = ("row", "column", "seed", "fold")
"""What names a cell of a study."""

COLUMNS = (
    *("row", "column", "measure", "unit", "published", "ours", "sd", "difference", "seeds", "folds", "n"),
    *("source", "differs", "remark", "selection", "main", "trained_on", *FACTS, "missing"),
)


COMPARED = ("column", *comparison.COLUMNS, *comparison.CORRECTED)
"""Of :func:`compare_rows`."""


@dataclass(frozen=True)
class Wanted:
    """One line of a study's table.

    Attributes:
        row: name of the row.
        column: name of the column.
        measure: a key of :data:`openfer.evaluation.metrics.METRICS`.
        seeds: expected seeds.
        folds: expected folds of each seed.
        trained_on: names of the training datasets.
        published: the published figure; None where there is none.
    """

    row: str
    column: str
    measure: str
    seeds: tuple[int, ...]
    folds: tuple[int, ...]
    trained_on: tuple[str, ...]
    published: PublishedFigure | None = None


def study_table(
    wanted: Sequence[Wanted], answers: pd.DataFrame, facts: pd.DataFrame, cells: pd.DataFrame, rows: pd.DataFrame
) -> pd.DataFrame:
    """Return one line per row, column, measure and selection.

    A seed must have run every fold that another seed of the row has: its mean would be that of other faces. A fold
    that no seed has, such as one for which a copy of the dataset has nobody, is left out of the mean.

    Args:
        wanted: the lines, in order.
        answers: predictions of all finished cells, :data:`openfer.schemas.PREDICTIONS` with the columns of
            :data:`CELL`; only the faces that count. Of several tasks the first one is scored.
        facts: of all finished cells: :data:`CELL`, ``selection, main_selection, tested_faces`` and :data:`FACTS`.
        cells: :data:`CELL`, ``state`` (``done`` or ``failed``) and ``error``.
        rows: of the datasets, as far as a measure looks at sequences.

    Returns:
        :data:`COLUMNS`. ``ours`` is the mean and ``sd`` the sample standard deviation over seeds, NaN for one seed.
        ``folds`` counts those with a face, ``n`` faces, rated faces or sequences, as the measure does. ``published``
        and ``difference``, ours minus published, are NaN unless both were measured on the same
        (:class:`openfer.evaluation.conditions.Conditions`); ``differs`` says the figure and what differs, ``remark``
        how its authors measure in another way. ``missing`` says which folds are missing and why, empty if none is.
        Oracle selections are left out: they are no result.
    """
    lines = [line for want in wanted for line in _lines(want, answers, facts, cells, rows)]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _lines(
    want: Wanted, answers: pd.DataFrame, facts: pd.DataFrame, cells: pd.DataFrame, rows: pd.DataFrame
) -> list[dict[str, Any]]:
    metric = METRICS["fold_accuracy" if want.measure == "accuracy" else want.measure]  # as papers print it
    known: dict[str, Any] = {"row": want.row, "column": want.column, "measure": want.measure, "unit": metric.unit}
    known |= {"trained_on": ", ".join(want.trained_on), "missing": _missing(_of(cells, want))}
    done = _done(_of(cells, want))
    own, told = _of(answers, want), _of(facts, want)
    if own.empty:
        return [known | dict(NOTHING_PUBLISHED) | {"ours": np.nan, "sd": np.nan, "seeds": 0, "n": 0, "main": True}]
    lines = []
    for selection in dict.fromkeys(own["selection"]):
        if selection == ORACLE:
            continue
        chosen = own[(own["selection"] == selection) & (own["task"] == own["task"].iloc[0])]
        chosen = chosen[[seed in done for seed in chosen["seed"]]]
        fact = told[told["selection"] == selection]
        found: dict[Any, Any] = summarise(chosen, [metric.name], rows).iloc[0].to_dict() if len(chosen) else {}
        mean, sd = (metric.scale * found.get(f"{metric.name}{end}", np.nan) for end in ("", "_std"))
        folds, n = found.get("folds", 0), _n(metric, found, chosen, rows)
        left_out = f"mean of {folds} of {len(want.folds)} folds" if 0 < folds < len(want.folds) else ""
        lines.append(
            known
            | {"ours": mean, "sd": sd, "seeds": found.get("seeds", 0), "folds": folds, "n": n}
            | _beside(want, mean, chosen, fact, folds, n)
            | {"selection": selection, "main": bool(fact["main_selection"].iloc[0])}
            | {name: ", ".join(dict.fromkeys(fact[name].astype(str))) for name in FACTS}
            | {"missing": "; ".join(word for word in (left_out, known["missing"]) if word)}
        )
    return lines


def _n(metric: Metric, found: dict[Any, Any], chosen: pd.DataFrame, rows: pd.DataFrame) -> int:
    """Return the number of faces, rated faces or sequences that a seed's score is made of."""
    if metric.needs == "sequences" and len(chosen):
        return int(stability(chosen[chosen["seed"] == chosen["seed"].iloc[0]], rows)["n"].sum())
    return int(found.get(f"{metric.dimension}_n" if metric.dimension else "n", 0))


def _beside(want: Wanted, mean: float, chosen: pd.DataFrame, facts: pd.DataFrame, folds: int, n: int) -> dict[str, Any]:
    """Return the published figure and the difference where both were measured on the same; else what differs."""
    if want.published is None or chosen.empty:
        return dict(NOTHING_PUBLISHED)
    told = [each for each in facts.get("tested_faces", ()) if isinstance(each, dict)]  # earlier runs do not say it
    faces = {name: own for each in told for name, own in each.items()}
    tested = chosen["dataset"].unique() if "dataset" in chosen else want.trained_on
    classes = len(classes_in(chosen))
    ours = Measured.of_run(want.trained_on, tested, faces, classes=classes, folds=folds, n=n)
    return want.published.beside(mean, ours)


def _of(table: pd.DataFrame, want: Wanted) -> pd.DataFrame:
    return table[(table["row"] == want.row) & (table["column"] == want.column)]


def _missing(cells: pd.DataFrame) -> str:
    said = cells[cells["error"] != ""]
    return "; ".join(f"seed {cell.seed}, fold {cell.fold}: {cell.error}" for cell in said.itertuples())


def _done(cells: pd.DataFrame) -> set[Any]:
    """Return the seeds that have run every fold that any seed has run."""
    done = {seed: set(own["fold"]) for seed, own in cells[cells["state"] == "done"].groupby("seed")}
    there = set().union(*done.values())
    return {seed for seed, own in done.items() if own == there}


def to_markdown(title: str, table: pd.DataFrame, compared: pd.DataFrame) -> str:
    """Return a study's table as Markdown; what was not measured says why.

    Args:
        title: of the study.
        table: from :func:`study_table`.
        compared: from :func:`compare_rows`.
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
    told = "\n".join(f"- {sentence}" for sentence in [*not_comparable(table), *against_the_first(compared)])
    return f"### {title}\n\n{markdown_table(pd.DataFrame(lines, columns=list(names)))}\n" + (
        f"\n{told}\n" if told else ""
    )


def compare_rows(rows: Sequence[str], answers: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Compare every two rows of each column by their main selections, unless these are oracles.

    Args:
        rows: of the study, in order.
        answers: as :func:`study_table` takes them; of several tasks the first one is compared.
        facts: as :func:`study_table` takes them.

    Returns:
        :data:`COMPARED`, corrected for the comparisons of a column. Rows with other test faces are not compared.
    """
    main = facts[facts["main_selection"].astype(bool) & (facts["selection"] != ORACLE)]
    where = ["row", "column", "selection"]
    chosen = classified(answers.merge(main[where].drop_duplicates(), on=where)).rename(columns={"row": "name"})
    found = []
    for column, own in chosen.groupby("column", sort=False):
        own, alike = own[own["task"] == own["task"].iloc[0]], dict[frozenset[tuple[str, str]], list[str]]()
        for row in [row for row in rows if (own["name"] == row).any()]:
            alike.setdefault(faces_of(own[own["name"] == row]), []).append(row)
        made = [table for names in alike.values() if len(table := compare(own, names))]
        if made:
            found.append(correct(pd.concat(made, ignore_index=True)).assign(column=column))
    return pd.concat(found, ignore_index=True)[list(COMPARED)] if found else pd.DataFrame(columns=list(COMPARED))


def against_the_first(compared: pd.DataFrame) -> list[str]:
    """Return the comparisons with each column's first row as sentences."""
    several, said = compared["column"].nunique() > 1, []
    for column, own in compared.groupby("column", sort=False):
        told = sentences(own[own["second"] == own["second"].iloc[0]])
        said += [f"On {column}: {sentence}" if several else sentence for sentence in told]
    return said


def not_comparable(table: pd.DataFrame) -> list[str]:
    """Return which published figures are of something else than ours or measured in another way, in sentences.

    Args:
        table: from :func:`study_table`; of each row its main selection is read.
    """
    words = table[["differs", "remark"]].astype(object).fillna("")  # a file gives an empty column back as numbers
    main = table.assign(why=words["differs"].map(reasons), remark=words["remark"])[table["main"].astype(bool)]
    apart = main[main["why"] != ""].groupby(["column", "measure", "why"], sort=False)
    remarks = main[main["remark"] != ""].groupby("remark", sort=False)
    return [
        *(
            f"{column}: the published {measure} of {', '.join(own['row'])} is not comparable. {why}."
            for (column, measure, why), own in apart
        ),
        *(f"Published for {', '.join(dict.fromkeys(own['row']))}: {remark}." for remark, own in remarks),
    ]


def ours_in_words(mean: float, spread: float) -> str:
    """Return mean and spread over seeds as they are printed; nothing where nothing was measured."""
    if np.isnan(mean):
        return ""
    digits = 3 if abs(mean) < 1 else 1
    return f"{mean:.{digits}f}" + ("" if np.isnan(spread) else f" ± {spread:.{digits}f}")


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:g}"
