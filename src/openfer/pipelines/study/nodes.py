"""Nodes of a study: run its cells, put its table together, draw it."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from openfer.errors import DataError
from openfer.pipelines.study_plan import StudyPlan
from openfer.pipelines.study_settings import Column, Row, Study

_log = logging.getLogger(__name__)

Parts = Sequence[tuple[str, str]]
"""What a node is given of which dataset, in the order of its inputs."""


def run_cells(
    parts: Parts, plan: StudyPlan, folder: Path, *inputs: Any
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Run the cells that have not been run; one that fails is reported, and the others go on.

    Args:
        parts: what the inputs are.
        plan: of the study.
        folder: of the finished runs of all studies.
        *inputs: the datasets' tables and faces.

    Returns:
        The cells with their state; the predictions of those that are done; their facts.

    Raises:
        DataError: if no cell could be run.
    """
    from openfer.pipelines.study.run_store import RunStore
    from openfer.pipelines.study.runs import StudyRuns, in_words

    store = RunStore(folder)
    runner = StudyRuns(dict(zip(parts, inputs, strict=True)), store)
    cells, answers, facts = [], [], []
    for number, (label, cell) in enumerate(plan.cells.items(), 1):
        key: dict[str, Any] = {"row": cell.row, "column": cell.column, "seed": cell.seed, "fold": cell.fold}
        known = key | {"method": cell.planned.run.method}
        try:
            run = runner.run(cell.planned, f"{plan.name}: {label}")
            answers.append(run.predictions.assign(**key))
        except Exception as error:  # noqa: BLE001  whatever stops one cell must not lose the others
            _log.error("cell %d of %d failed: %s", number, len(plan.cells), label, exc_info=error)
            cells.append(known | {"state": "failed", "error": in_words(error), "seconds": float("nan"), "run": ""})
            continue
        _log.info("cell %d of %d is done: %s", number, len(plan.cells), label)
        seconds = run.history.loc[run.history["name"] == "seconds", "value"].sum()
        cells.append(known | {"state": "done", "error": "", "seconds": seconds, "run": run.folder.name})
        facts += [fact | key | {"datasets": ", ".join(fact["datasets"])} for fact in run.facts]
    _tell_of(store.unfinished(), failed=any(cell["state"] == "failed" for cell in cells))
    if not answers:
        raise DataError(f"all {len(cells)} cells of {plan.name} failed; the first: {cells[0]['error']}")
    told = pd.DataFrame(facts)
    return pd.DataFrame(cells), pd.concat(answers, ignore_index=True), told.drop(columns="licences_of_data")


def table(
    parts: Parts, plan: StudyPlan, cells: pd.DataFrame, answers: pd.DataFrame, facts: pd.DataFrame, *inputs: Any
) -> tuple[pd.DataFrame, str, pd.DataFrame]:
    """Put ours beside the published figures, and the rows beside each other.

    Args:
        parts: what the inputs are: rows and groups of each dataset.
        plan: of the study.
        cells: with their state.
        answers: the predictions of all finished cells.
        facts: of them.
        *inputs: the datasets' tables.

    Returns:
        What :func:`openfer.evaluation.study_table.study_table` gives, with ``sweep`` and ``at`` of the rows; the same
        in Markdown, with the first row's comparisons in words; what
        :func:`openfer.evaluation.study_comparison.compare_rows` gives.
    """
    from openfer.evaluation.study_comparison import compare_rows
    from openfer.evaluation.study_table import study_table, to_markdown

    data = dict(zip(parts, inputs, strict=True))
    study = plan.study
    counted = [_counted(study.columns[str(name)], own, data) for name, own in answers.groupby("column", sort=False)]
    those_that_count = pd.concat(counted, ignore_index=True)
    rows = pd.concat([table for (_, part), table in data.items() if part == "rows"], ignore_index=True)
    found = study_table(_wanted(study), those_that_count, facts, cells, rows)
    found["sweep"] = found["row"].map({name: row.sweep for name, row in study.rows.items()})
    found["at"] = found["row"].map({name: row.at for name, row in study.rows.items()})
    folds = {name: column.folds for name, column in study.columns.items()}
    compared = compare_rows(list(study.rows), folds, those_that_count, facts, cells)
    return found, to_markdown(study.title, found, compared), compared


def figures(plan: StudyPlan, table: pd.DataFrame) -> tuple[Any, Any]:
    """Return the picture, over the values of what is varied where a parameter is, and the plotly figure."""
    from openfer.evaluation.figures import study_picture, study_plot, sweep_picture

    sweeps = any(row.sweep for row in plan.study.rows.values())
    picture = sweep_picture if sweeps else study_picture
    return picture(table, plan.study.title), study_plot(table, plan.study.title)


def _tell_of(unfinished: Sequence[Path], failed: bool) -> None:
    if unfinished and not failed:  # a failed cell may go on with its own
        _log.info(
            "%d trainings were begun with other settings or code and lie in %s/*.work; delete them unless you go back",
            len(unfinished), unfinished[0].parent,
        )  # fmt: skip


def _wanted(study: Study) -> list[Any]:
    from openfer.evaluation.study_table import Wanted

    return [
        Wanted(
            row=name,
            column=place,
            measure=measure,
            seeds=study.seeds,
            folds=column.folds,
            trained_on=column.datasets,
            published=_published(study, name, row, place, measure),
        )
        for measure in study.measures
        for place, column in study.columns.items()
        for name, row in study.rows.items()
    ]


def _published(study: Study, name: str, row: Row, column: str, measure: str) -> float | None:
    from openfer.evaluation.study_table import printed_figure

    paper, table = row.printed.paper or study.paper, row.printed.table or study.table
    if paper is None or table is None:
        return None
    return printed_figure(paper, table, row.printed.method or name, row.printed.variant, column, measure)


def _counted(column: Column, answers: pd.DataFrame, data: Mapping[tuple[str, str], Any]) -> pd.DataFrame:
    """Return the predictions of the faces that a column counts.

    Raises:
        DataError: if there are none.
    """
    counts = column.counts
    if counts is None:
        return answers
    if counts.dataset is not None:
        kept = answers[answers["dataset"] == counts.dataset]
        there = sorted(answers["dataset"].unique())
    else:
        groups = pd.concat([data[dataset, "groups"] for dataset in column.datasets], ignore_index=True)
        own = groups[(groups["by"] == counts.by) & (groups["group"] == counts.group)]
        kept = answers[answers["sample_id"].isin(own["sample_id"])]
        there = sorted({f"{by}: {group}" for by, group in zip(groups["by"], groups["group"], strict=True)})
    if kept.empty:
        raise DataError(
            f"no tested face is in {counts.model_dump(exclude_none=True)}, which a column counts; there are "
            f"{', '.join(there)}"
        )
    return kept
