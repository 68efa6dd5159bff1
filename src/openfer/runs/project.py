"""What a project's parameters ask of all its pipelines."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from openfer.errors import ParameterError, did_you_mean
from openfer.methods.declaration import METHODS
from openfer.runs.datasets import Datasets
from openfer.runs.export_settings import ExportSettings, export_settings
from openfer.runs.foreign import ForeignPlan, foreign_plan
from openfer.runs.plan import DATASET, Planner, RunPlan, chain_of
from openfer.runs.recipes import check_recipes
from openfer.runs.study import PlannedStudy, is_study, requested_study

_SHARED = (
    *(
        "compared_methods",
        "complexity",
        "dataset",
        "doctor",
        "export",
        "landmarks",
        "open_features",
        "predict",
        "predictions",
        "predictions_name",
        "study",
    ),
    *("synthetic", "protocol"),
)
_RENAMED = {"compared": "compared_methods", "tested_on": "test_datasets"}
_COMPARED = ("baseline", "addl")


@dataclass(frozen=True)
class Plan:
    """What pipelines are built from.

    Attributes:
        datasets: all that the project knows.
        dataset: the one that ``ingest``, ``doctor`` and ``landmarks`` work on.
        requested: the runs that each method's own pipeline is asked for.
        compared: the methods that ``evaluation`` compares, the reference first.
        study: the requested one; None where none is described.
        foreign: predictions of another program that ``evaluation`` is to score.
        export: what ``export`` makes files of.
        parameters: those that nodes read, for Kedro: all runs as ``runs`` by slug and the study as ``study_plan`` in
            place of the blocks that describe them.
    """

    datasets: Datasets
    dataset: str
    requested: Mapping[str, tuple[RunPlan, ...]]
    compared: tuple[str, ...]
    study: PlannedStudy | None
    foreign: ForeignPlan | None
    export: ExportSettings
    parameters: Mapping[str, Any]

    @cached_property
    def runs(self) -> dict[str, RunPlan]:
        """All runs of all pipelines with what they need, by slug, each after what it needs."""
        wanted = [run for runs in self.requested.values() for run in runs]
        return chain_of([*wanted, *(self.study.runs.values() if self.study else ())])

    @cached_property
    def exported(self) -> tuple[RunPlan, ...]:
        """The runs that ``export`` makes files of: the requested ones of a method, or the one of a slug.

        Raises:
            ParameterError: if there is no such method or run.
        """
        name = self.export.run
        if name in METHODS:
            return self.requested.get(name, ())
        if name not in self.runs:
            known = [*self.requested, *self.runs]
            raise ParameterError(
                f"export.run is {name!r}, which is neither a method nor a run that the present parameters ask for; "
                f"{did_you_mean(name, known, 'give a method')}, or export a finished run of other parameters with "
                "`openfer export RUN`"
            )
        return (self.runs[name],)


def plan(parameters: Mapping[str, Any]) -> Plan:
    """Return what parameters ask for.

    A key that begins with an underscore is a template for other keys, and is left out.

    Args:
        parameters: as YAML files and the command line give them, with the weights manifest filled in.

    Raises:
        ParameterError: if a name is unknown, a block is not valid, or a choice of datasets or methods cannot be made.
    """
    parameters = {name: value for name, value in parameters.items() if not name.startswith("_")}
    datasets = Datasets(parameters)
    _refuse_unknown(parameters, datasets)
    planner = Planner(parameters, datasets)
    requested = {name: planner.requested(name) for name in METHODS.names() if name in parameters}
    for runs in requested.values():
        _check_test_datasets(runs[0])
    dataset = _dataset(parameters, datasets)
    study, foreign = requested_study(parameters, planner), foreign_plan(parameters, dataset)
    made = Plan(datasets, dataset, requested, _compared(parameters), study, foreign, export_settings(parameters), {})
    unread = {name for name, value in parameters.items() if name in METHODS or is_study(value)}
    complete = {name: value for name, value in parameters.items() if name not in unread} | datasets.blocks
    complete["export"] = made.export.model_dump()
    complete["runs"] = {slug: run.settings.model_dump() for slug, run in made.runs.items()}
    if study is not None:
        complete["study_plan"] = study.plan.model_dump()
    if foreign is not None:
        complete["predictions_name"] = foreign.name
    return replace(made, parameters=complete)


def _refuse_unknown(parameters: Mapping[str, Any], datasets: Datasets) -> None:
    studies = [name for name, value in parameters.items() if is_study(value)]
    known = (*_SHARED, *METHODS.names(), *datasets.blocks, *studies)
    for name in parameters:
        if name not in known:
            names = f"the top-level parameters are {', '.join(known)}"
            raise ParameterError(
                f"parameter {name!r} belongs to no pipeline; {_renamed(name) or did_you_mean(name, known, names)}; a "
                "dataset of your own needs a block with `reader` and `root`"
            )
    for method in METHODS.names():
        block = parameters.get(method, {})
        if not isinstance(block, Mapping):
            raise ParameterError(
                f"{method} is {block!r:.80}; give a block of parameters, such as {method}: {{seed: 1}}"
            )
        check_recipes(method, block, datasets.names)
        for name in sorted(set(_RENAMED) & set(block)):
            raise ParameterError(f"{method}.{name} is not a parameter; {_renamed(name)}")


def _renamed(name: str) -> str:
    return f"it is called {_RENAMED[name]} now" if name in _RENAMED else ""


def _compared(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    compared = parameters.get("compared_methods", _COMPARED)
    if isinstance(compared, str) or not 2 <= len(compared) == len(set(compared) & set(METHODS.names())):
        raise ParameterError(
            f"compared_methods is {compared!r}; give a list of two or more methods, each once, the reference first, "
            f"such as [baseline, addl]. The methods are {', '.join(METHODS.names())}"
        )
    return tuple(compared)


def _dataset(parameters: Mapping[str, Any], datasets: Datasets) -> str:
    asked = str(parameters.get("dataset", DATASET))  # a name such as 2024 comes as a number
    if asked not in datasets.names:
        raise ParameterError(
            f"dataset is {asked!r}, which is not described; {did_you_mean(asked, datasets.names, 'the datasets are')} "
            f"{', '.join(datasets.names)}; for your own, write a block with `reader` and `root` into "
            "conf/local/parameters.yml"
        )
    return asked


def _check_test_datasets(run: RunPlan) -> None:
    named = run.settings.test_datasets
    for name in named:
        if name in run.settings.datasets or named.count(name) > 1:
            raise ParameterError(
                f"{run.method}.test_datasets names {name}, which {run.method} trains on or which is named twice; the "
                "results hold its own test side already: take it out"
            )
