"""The runs of a study: one for each row, column, seed and fold of its table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from openfer.errors import ParameterError, did_you_mean
from openfer.parameters import DERIVED, Settings
from openfer.runs.datasets import EMBEDDED
from openfer.runs.plan import Planner, RunPlan
from openfer.runs.recipes import laid_over, with_recipe
from openfer.runs.study_settings import Changes, Column, Row, Study
from openfer.runs.words import in_words

DEFAULT = "first_study"
"""The study that runs where the parameter ``study`` names none."""

_OF_THE_STUDY = ("method", "seed", "seeds", "folds", "fresh", "test_datasets")
_OF_THE_COLUMN = ("datasets", "fold")
"""What the column sets for a row's own method; prerequisites have datasets of their own."""


class Cell(Settings):
    """One run of a row on a column.

    Attributes:
        row: its name.
        column: its name.
        seed: of this run and all that it needs.
        fold: the tested one.
        run: slug of the run.
    """

    row: str
    column: str
    seed: int
    fold: int
    run: str


class StudyPlan(Settings):
    """A study and its runs.

    Attributes:
        name: of the study.
        study: its description.
        cells: by seed, then by row, column and fold: every row has one seed before any has two.
    """

    name: str
    study: Study
    cells: dict[str, Cell] = Field(json_schema_extra=DERIVED)


@dataclass(frozen=True)
class PlannedStudy:
    """A study with the runs of its cells.

    Attributes:
        plan: the study, with the slug of each cell's run.
        runs: by slug.
    """

    plan: StudyPlan
    runs: Mapping[str, RunPlan]


def is_study(value: Any) -> bool:
    """Return whether a block of parameters describes a study."""
    return isinstance(value, Mapping) and "rows" in value and "columns" in value


def requested_study(parameters: Mapping[str, Any], planner: Planner) -> PlannedStudy | None:
    """Return the study that the parameter ``study`` names; None where no study is described and none is asked for.

    Raises:
        ParameterError: if it is not described, not valid, or probes factors that its datasets do not label.
    """
    studies = [name for name, value in parameters.items() if is_study(value)]
    name = parameters.get("study", DEFAULT)
    if name not in studies:
        if not studies and "study" not in parameters:
            return None
        raise ParameterError(
            f"study is {name!r}, which is not described; {did_you_mean(str(name), studies, 'the studies are')} "
            f"{', '.join(studies) or 'none'}; describe your own by a block with `title`, `rows` and `columns` in "
            "conf/local/parameters.yml"
        )
    return plan_study(name, parameters, planner)


def plan_study(name: str, parameters: Mapping[str, Any], planner: Planner) -> PlannedStudy:
    """Return the runs of a study.

    Args:
        name: of the study's block.
        parameters: all top-level parameters.
        planner: makes runs of parameter blocks.

    Raises:
        ParameterError: if the block is not valid, changes a method of which it has no run, or probes factors that its
            datasets do not label.
    """
    try:
        study = Study.model_validate(parameters[name])
    except ValidationError as error:
        raise ParameterError(in_words(name, error)) from error
    planned: dict[str, tuple[Cell, RunPlan]] = {}
    for seed in study.seeds:
        for row in study.rows:
            for column in study.columns:
                for fold in study.columns[column].folds:
                    try:
                        run = _run(study, row, column, seed, fold, parameters, planner)
                    except ParameterError as error:
                        raise ParameterError(f"{name}, row {row}, column {column}: {error}") from error
                    cell = Cell(row=row, column=column, seed=seed, fold=fold, run=run.slug)
                    planned[f"{row}, {column}, seed {seed}, fold {fold}"] = cell, run
    _check_changes(name, study, list(planned.values()))
    runs = {run.slug: run for _, run in planned.values()}
    # any dataset may have taught a prerequisite: probes look at the datasets of the rows alone
    unknown = sorted({dataset for run in runs.values() for dataset in run.settings.datasets} - set(EMBEDDED))
    if study.probes and unknown:
        raise ParameterError(
            f"{name}.probes is true, but not every factor of {', '.join(unknown)} is labelled; probes need rendered "
            f"faces: {', '.join(EMBEDDED)}"
        )
    return PlannedStudy(
        StudyPlan(name=name, study=study, cells={key: cell for key, (cell, _) in planned.items()}), runs
    )


def _run(
    study: Study,
    row_name: str,
    column_name: str,
    seed: int,
    fold: int,
    parameters: Mapping[str, Any],
    planner: Planner,
    asked_by: tuple[str, ...] = (),
) -> RunPlan:
    """Return the run of a cell; ``asked_by`` are the columns whose runs start from it, one from the other."""
    row, column = study.rows[row_name], study.columns[column_name]
    layers = (study.runs, column.changes, row.changes)
    changes = {method: [layer.get(method, {}) for layer in layers] for method in {m for layer in layers for m in layer}}
    block = laid_over(with_recipe(parameters.get(row.method) or {}, column.datasets), *changes.get(row.method, ()))
    block.pop("seeds", None), block.pop("folds", None)
    block |= {"method": row.method, "seed": seed, "fold": fold, "datasets": list(column.datasets)}
    block |= {"fresh": False, "test_datasets": []}  # a study tests what its columns name
    if row.variant is not None:
        block["variant"] = row.variant
    first = (block.get("initialisation") or {}).get("column")
    if first is None:
        return planner.run(row.method, block, changes)
    asked_by = (*asked_by, column_name)
    others = [name for name in study.columns if name not in asked_by]
    if first not in others:
        raise ParameterError(
            f"{row.method}.initialisation.column is {first!r}; give a column of the study that does not start from "
            f"this one: {', '.join(others) or 'it has none'}"
        )
    start = _run(study, row_name, first, seed, study.columns[first].folds[0], parameters, planner, asked_by)
    return planner.run(row.method, block, changes, start)


def _check_changes(name: str, study: Study, planned: list[tuple[Cell, RunPlan]]) -> None:
    """Refuse changes that no run would read: of methods without a run, and of what seeds, columns and rows set."""
    places: list[tuple[str, Changes, str, str]] = [("runs", study.runs, "", "")]
    places += [(f"{kind}.{of}.changes", own.changes, kind[:-1], of) for kind, of, own in _parts_of(study)]
    for place, changes, kind, of in places:
        here = [run for cell, run in planned if not kind or getattr(cell, kind) == of]
        methods = {part.method for run in here for part in run.chain()}
        for method, change in changes.items():
            if method not in methods:
                raise ParameterError(
                    f"{name}.{place} changes {method!r}, but there is no run of it here; the runs are of "
                    f"{', '.join(sorted(methods))}"
                )
            own = [run.settings.model_dump(mode="json") for run in here if run.method == method]
            unread = {*_OF_THE_STUDY} & set(change)
            unread |= {what for what in _OF_THE_COLUMN if any(run[what] != change.get(what, run[what]) for run in own)}
            if unread:
                raise ParameterError(
                    f"{name}.{place}.{method} sets {', '.join(sorted(unread))}, which the study's seeds, columns and "
                    "rows set; change it there"
                )


def _parts_of(study: Study) -> Iterator[tuple[str, str, Row | Column]]:
    for column, of_column in study.columns.items():
        yield "columns", column, of_column
    for row, of_row in study.rows.items():
        yield "rows", row, of_row
