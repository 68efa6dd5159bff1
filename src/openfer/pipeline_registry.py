"""Kedro's registry: one pipeline a method, and the pipelines of data, comparisons and reports."""

import importlib
import pkgutil
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline

from openfer import pipelines
from openfer.methods.declaration import METHODS
from openfer.pipelines.planned import current_plan

if TYPE_CHECKING:
    from openfer.runs.project import Plan

_LIBRARIES = ("figures",)
"""Packages in `pipelines/` that are not pipelines."""


def pipeline_names() -> list[str]:
    """Return the names of all pipelines, without building any."""
    return ["__default__", *sorted({*_packages(), *METHODS.names()})]


def _packages() -> list[str]:
    return [m.name for m in pkgutil.iter_modules(pipelines.__path__) if m.ispkg and m.name not in _LIBRARIES]


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines that a command names, by name; all of them where it names none or the default one.

    The pipeline of a method is that of its requested runs with all that they need. `__default__` runs the methods
    named by `compared_methods`, and compares them.
    """
    from openfer.pipelines.run_pipeline import runs_pipeline

    plan = current_plan()
    named: dict[str, Callable[[], Pipeline]] = {name: partial(_of_package, name) for name in _packages()}
    named |= {name: partial(runs_pipeline, runs, plan.datasets) for name, runs in plan.requested.items()}
    named["__default__"] = partial(_compared, plan)
    asked = _asked()
    return {name: build() for name, build in named.items() if asked is None or name in asked}


def _asked() -> list[str] | None:
    """Return the names that Kedro's session was given; its own `find_pipelines` reads them in the same way."""
    from kedro.framework import project  # which sets up logging

    asked: list[str] | None = getattr(project.pipelines, "_requested_pipelines", None)  # a private name
    return None if asked is None or "__default__" in asked else asked


def _of_package(name: str) -> Pipeline:
    made: Pipeline = importlib.import_module(f"{pipelines.__name__}.{name}").create_pipeline()
    return made


def _compared(plan: "Plan") -> Pipeline:
    from openfer.pipelines.evaluation.pipeline import comparison_pipeline
    from openfer.pipelines.run_pipeline import runs_pipeline

    compared = [run for name in plan.compared for run in plan.requested.get(name, ())]
    return runs_pipeline(compared, plan.datasets) + comparison_pipeline(plan)
