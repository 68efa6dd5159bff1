"""The runs that a study comes to, and what each of them starts from."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import Field, ValidationError

from openfer.errors import ParameterError
from openfer.methods.declaration import METHODS
from openfer.nn.initialisation_settings import PRETRAIN
from openfer.parameters import DERIVED, Settings
from openfer.pipelines.method_run import MethodRun, prerequisites_of
from openfer.pipelines.study_settings import Changes, Column, Row, Study
from openfer.training.mask_settings import GENERATOR

_OF_THE_STUDY = ("method", "seed", "fresh", "tested_on")
_OF_THE_COLUMN = ("datasets", "fold")
"""What the column says of a row's own method; what this starts from has datasets of its own."""


class PlannedRun(Settings):
    """A training with the trainings that it starts from, in the order that it takes their models.

    Attributes:
        run: its parameters.
        needs: by name.
    """

    run: MethodRun
    needs: dict[str, "PlannedRun"] = {}


class Cell(Settings):
    """One run of a row on a column.

    Attributes:
        row: its name.
        column: its name.
        seed: of this and all runs that it needs.
        fold: that is tested.
        planned: what is run.
    """

    row: str
    column: str
    seed: int
    fold: int
    planned: PlannedRun


class StudyPlan(Settings):
    """All that a study runs.

    Attributes:
        name: of the study.
        study: its description.
        cells: by seed, then by row, column and fold; so that every row has one seed early.
    """

    name: str
    study: Study
    cells: dict[str, Cell] = Field(json_schema_extra=DERIVED)


def is_study(value: Any) -> bool:
    """Return whether a block of parameters describes a study."""
    return isinstance(value, Mapping) and "rows" in value and "columns" in value


def plan(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study's plan as plain values, valid under :class:`StudyPlan` if its runs are.

    Args:
        name: of the study's block.
        parameters: all top-level parameters.

    Raises:
        ParameterError: if the block is not valid, or changes a method that none of its runs is of.
    """
    block = parameters[name]
    try:
        study = Study.model_validate(block)
    except ValidationError as error:
        raise ParameterError(f"the study {name}: {error}") from error
    cells: dict[str, dict[str, Any]] = {
        f"{row}, {column}, seed {seed}, fold {fold}": {
            **{"row": row, "column": column, "seed": seed, "fold": fold},
            "planned": _planned(study.rows[row], study.columns[column], study.runs, seed, fold, parameters),
        }
        for seed in study.seeds
        for row in study.rows
        for column in study.columns
        for fold in study.columns[column].folds
    }
    _check_changes(name, study, cells.values())
    return {"name": name, "study": block, "cells": cells}


def datasets_with_extras(plan: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the datasets that a plan's runs train on, in order of appearance, with the extras asked of each."""
    found: dict[str, dict[str, None]] = {}
    for planned in (part for cell in plan["cells"].values() for part in _parts(cell["planned"])):
        for dataset in planned["run"]["datasets"]:
            found.setdefault(dataset, {}).update(dict.fromkeys(METHODS[planned["run"]["method"]].extras))
    return {dataset: tuple(extras) for dataset, extras in found.items()}


def methods_of(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the methods of all runs of a plan, each once."""
    runs = (part["run"]["method"] for cell in plan["cells"].values() for part in _parts(cell["planned"]))
    return tuple(dict.fromkeys(runs))


def _planned(
    row: Row, column: Column, shared: Changes, seed: int, fold: int, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    def build(method: str, own: Mapping[str, Any]) -> dict[str, Any]:
        changed = [changes.get(method, {}) for changes in (shared, column.changes, row.changes)]
        run = _laid_over(parameters[method], *changed, own)
        run |= {"method": method, "seed": seed, "fresh": False, "tested_on": []}  # a study tests what its columns name
        # who it starts from must not have learned from the faces that are tested
        run["fold"] = fold if set(run["datasets"]) & set(column.datasets) else run.get("fold", 0)
        return {"run": run, "needs": {needed: build(needed, {}) for needed in _needed(run)}}

    own: dict[str, Any] = {"datasets": list(column.datasets)}
    if row.variant is not None:
        own["variant"] = row.variant
    return build(row.method, own)


def _needed(run: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of what a run starts from, in the order that its training takes them."""
    masked = (run.get("training") or {}).get("neighbourhood_mask") is not None
    pretrained = (run.get("initialisation") or {}).get("backbone") == PRETRAIN
    return (*prerequisites_of(run["method"]), *((GENERATOR,) * masked), *((PRETRAIN,) * pretrained))


def _laid_over(below: Any, *above: Mapping[str, Any]) -> Any:
    """Merge nested maps; what is not a map takes the place of what was there."""
    merged = dict(below)
    for layer in above:
        for key, value in layer.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
            merged[key] = _laid_over(merged[key], value) if both else value
    return merged


def _parts(planned: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield planned
    for needed in planned["needs"].values():
        yield from _parts(needed)


def _check_changes(name: str, study: Study, cells: Collection[Mapping[str, Any]]) -> None:
    """Refuse changes that no run would read: of methods that have none there, and of what the study itself says."""
    places: list[tuple[str, Changes, str, str]] = [("runs", study.runs, "", "")]
    places += [(f"{kind}.{of}.changes", own.changes, kind[:-1], of) for kind, of, own in _parts_of(study)]
    for place, changes, kind, of in places:
        here = [cell["planned"] for cell in cells if not kind or cell[kind] == of]
        methods = {part["run"]["method"] for planned in here for part in _parts(planned)}
        for method, change in changes.items():
            if method not in methods:
                raise ParameterError(
                    f"{name}.{place} changes {method!r}, of which there is no run here; the runs are of "
                    f"{', '.join(sorted(methods))}"
                )
            own = [planned["run"] for planned in here if planned["run"]["method"] == method]
            unread = {*_OF_THE_STUDY} & set(change)
            unread |= {what for what in _OF_THE_COLUMN if any(run[what] != change.get(what, run[what]) for run in own)}
            if unread:
                raise ParameterError(
                    f"{name}.{place}.{method} has {', '.join(sorted(unread))}, which the study's seeds, columns and "
                    "rows say; set it there"
                )


def _parts_of(study: Study) -> Iterator[tuple[str, str, Row | Column]]:
    for column, of_column in study.columns.items():
        yield "columns", column, of_column
    for row, of_row in study.rows.items():
        yield "rows", row, of_row
