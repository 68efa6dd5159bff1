"""Nodes of a study: its table, what its runs' features know, and their pictures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from openfer.errors import DataError
from openfer.io.runs import Run
from openfer.runs.study import StudyPlan
from openfer.runs.study_settings import Column, Row, Study, Subset

if TYPE_CHECKING:
    from openfer.evaluation.published_rows import PublishedFigure


def columns(plan: StudyPlan, groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Count the tested faces of each column that counts a group; this comes before any run trains.

    Args:
        plan: of the study.
        groups: of each dataset's faces, by name.

    Returns:
        The columns ``column, by, group, n``.

    Raises:
        DataError: if a column counts no face, such as those of a challenge list that a copy lacks.
    """
    lines = []
    for name, column in plan.study.columns.items():
        if column.counts is None or column.counts.by is None:
            continue
        known = pd.concat([groups[dataset] for dataset in column.datasets], ignore_index=True)
        own = _in_group(column.counts, known)
        if own.empty:
            raise DataError(_counts_nobody(name, column, groups))
        lines.append((name, column.counts.by, column.counts.group, own.nunique()))
    return pd.DataFrame(lines, columns=["column", "by", "group", "n"])


def table(
    plan: StudyPlan, runs: Mapping[str, Run], rows: Mapping[str, pd.DataFrame], groups: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame, str, pd.DataFrame]:
    """Put our figures beside the published ones, and compare the rows.

    Args:
        plan: of the study.
        runs: by slug; failed ones among them.
        rows: of each dataset, by name.
        groups: of each dataset's faces, by name.

    Returns:
        The cells with their state; what :func:`openfer.evaluation.study_table.study_table` gives, with ``sweep`` and
        ``at`` of the rows; the same in Markdown, with the first row's comparisons in words; what
        :func:`openfer.evaluation.study_table.compare_rows` gives.

    Raises:
        DataError: if no run is complete.
    """
    from openfer.evaluation.study_table import compare_rows, study_table, to_markdown

    study = plan.study
    cells = _cells(plan, runs)
    done = cells[cells["state"] == "done"]
    if done.empty:
        raise DataError(f"all {len(cells)} runs of {plan.name} failed; the first: {cells['error'].iloc[0]}")
    answers, facts = [], []
    for place, cell in done.iterrows():
        key = {name: cell[name] for name in _CELL}
        counted = _counted(study.columns[cell["column"]], runs[cell["run"]].predictions.assign(**key), groups)
        if counted.empty:
            cells.loc[place, "error"] = _NOBODY
        answers.append(counted)
        facts += [fact | key | {"datasets": ", ".join(fact["datasets"])} for fact in runs[cell["run"]].facts]
    _refuse_empty_columns(study, cells, groups)
    those_that_count, known = pd.concat(answers, ignore_index=True), pd.DataFrame(facts)
    found = study_table(
        _wanted(study), those_that_count, known, cells, pd.concat(list(rows.values()), ignore_index=True)
    )
    found["sweep"] = found["row"].map({name: row.sweep for name, row in study.rows.items()})
    found["at"] = found["row"].map({name: row.at for name, row in study.rows.items()})
    compared = compare_rows(list(study.rows), those_that_count, known)
    return cells, found, to_markdown(study.title, found, compared), compared


def figure(plan: StudyPlan, table: pd.DataFrame) -> Any:
    """Return the table as a figure, over the values of the varied parameter if there is one."""
    from openfer.evaluation.figures import study_picture, sweep_picture

    sweeps = any(row.sweep for row in plan.study.rows.values())
    picture = sweep_picture if sweeps else study_picture
    return picture(table, plan.study.title)


def collect_probes(
    plan: StudyPlan, probes: Mapping[str, pd.DataFrame], independence: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what the features of all complete runs know, before and after training.

    Args:
        plan: of the study.
        probes: of each run, by slug.
        independence: of each run, by slug.

    Returns:
        :data:`openfer.schemas.PROBES` and :data:`openfer.schemas.INDEPENDENCE`, with the columns ``row`` and ``column``
        in front.
    """
    found = []
    for tables in (probes, independence):
        parts = []
        for cell in plan.cells.values():
            if cell.run in tables:
                where = pd.DataFrame({"row": cell.row, "column": cell.column}, tables[cell.run].index)
                parts.append(pd.concat([where, tables[cell.run]], axis=1))
        found.append(pd.concat(parts, ignore_index=True))
    return found[0], found[1]


def probe_figure(probes: pd.DataFrame) -> Any:
    """Return factors by features, a panel for each row, of the first column."""
    from openfer.evaluation.figures import probe_picture

    first = probes[probes["column"] == probes["column"].iloc[0]]
    # rows as the paper prints them
    named = first.assign(method="", variant=first["row"]).drop(columns=["row", "column"])
    return probe_picture(named)


def first_runs(plan: StudyPlan) -> dict[str, str]:
    """Return the slug of each row's first run, by row."""
    first: dict[str, str] = {}
    for cell in plan.cells.values():
        first.setdefault(cell.row, cell.run)
    return first


def embed(plan: StudyPlan, runs: Mapping[str, Run], features: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the t-SNE coordinates of faces in the features of each row's first run, :data:`openfer.schemas.EMBEDDING`.

    Args:
        plan: of the study.
        runs: the first one of each row, by slug.
        features: of these runs, by slug; a failed one has none.
    """
    from openfer.evaluation.embedding import embedding_table
    from openfer.pipelines.evaluation_nodes import main_predictions

    named: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {}
    for row, slug in first_runs(plan).items():
        if slug in features:
            main = main_predictions([runs[slug]])
            named[row] = features[slug], main[main["task"] == main["task"].iloc[0]]
    return embedding_table(named)


_CELL = ("row", "column", "seed", "fold")
_NOBODY = "no tested face of this fold counts"
_NO_TASK = "the method learns no task and predicts nothing; it can be a prerequisite, but not a row: take the row out"


def _cells(plan: StudyPlan, runs: Mapping[str, Run]) -> pd.DataFrame:
    """Return the cells: row, column, seed, fold, method, state, error, seconds of training, slug of the run."""
    lines = []
    for cell in plan.cells.values():
        record = runs[cell.run].record
        known = cell.model_dump() | {"method": plan.study.rows[cell.row].method}
        if record is None:
            lines.append(known | {"state": "failed", "error": "it did not run", "seconds": float("nan")})
            continue
        if record.state == "done" and not record.scores:
            lines.append(known | {"state": "failed", "error": _NO_TASK, "seconds": float("nan")})
            continue
        seconds = record.seconds if record.state == "done" else float("nan")
        lines.append(known | {"state": record.state, "error": record.error, "seconds": seconds})
    return pd.DataFrame(lines)


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


def _published(study: Study, name: str, row: Row, column: str, measure: str) -> "PublishedFigure | None":
    from openfer.evaluation.published_rows import printed_figure

    paper, table = row.printed.paper or study.paper, row.printed.table or study.table
    if paper is None or table is None:
        return None
    return printed_figure(paper, table, row.printed.method or name, row.printed.variant, column, measure)


def _counted(column: Column, answers: pd.DataFrame, groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the predictions of the faces that a column counts; a fold may have none."""
    counts = column.counts
    if counts is None:
        return answers
    if counts.dataset is not None:
        return answers[answers["dataset"] == counts.dataset]
    known = pd.concat([groups[dataset] for dataset in column.datasets], ignore_index=True)
    return answers[answers["sample_id"].isin(_in_group(counts, known))]


def _in_group(counts: Subset, known: pd.DataFrame) -> pd.Series:
    """Return the samples that a column counts."""
    return known.loc[(known["by"] == counts.by) & (known["group"] == counts.group), "sample_id"]


def _refuse_empty_columns(study: Study, cells: pd.DataFrame, groups: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a column whose group has no face in any cell.

    Raises:
        DataError: it says what there is to count.
    """
    done = cells[cells["state"] == "done"]
    for name, own in done.groupby("column", sort=False):
        counts = study.columns[str(name)].counts
        if counts is None or not (own["error"] == _NOBODY).all():
            continue
        raise DataError(_counts_nobody(str(name), study.columns[str(name)], groups))


def _counts_nobody(name: str, column: Column, groups: Mapping[str, pd.DataFrame]) -> str:
    assert column.counts is not None
    known = pd.concat([groups[dataset] for dataset in column.datasets], ignore_index=True)
    there = sorted({f"{by}: {group}" for by, group in zip(known["by"], known["group"], strict=True)})
    counted = column.counts.model_dump(exclude_none=True)
    return (
        f"no tested face is in {counted}, which the column {name} counts; there are "
        f"{', '.join(column.datasets if column.counts.by is None else there)}"
    )
