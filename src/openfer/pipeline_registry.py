"""Kedro's registry: one pipeline a method, and the pipelines of data, comparisons and reports."""

import importlib
import pkgutil

from kedro.pipeline import Pipeline

from openfer import pipelines
from openfer.methods.declaration import METHODS
from openfer.pipelines.planned import current_plan

_LIBRARIES = ("figures",)
"""Packages in `pipelines/` that are not pipelines."""


def pipeline_names() -> list[str]:
    """Return the names of all pipelines, without building any."""
    return ["__default__", *sorted({*_packages(), *METHODS.names()})]


def _packages() -> list[str]:
    return [m.name for m in pkgutil.iter_modules(pipelines.__path__) if m.ispkg and m.name not in _LIBRARIES]


def register_pipelines() -> dict[str, Pipeline]:
    """Return all pipelines by name.

    The pipeline of a method is that of its requested runs with all that they need. `__default__` runs the methods
    named by `compared_methods`, and compares them.
    """
    from openfer.pipelines.evaluation.pipeline import comparison_pipeline
    from openfer.pipelines.run_pipeline import runs_pipeline

    plan = current_plan()
    named = {name: importlib.import_module(f"{pipelines.__name__}.{name}").create_pipeline() for name in _packages()}
    named |= {name: runs_pipeline(runs, plan.datasets) for name, runs in plan.requested.items()}
    compared = [run for name in plan.compared for run in plan.requested.get(name, ())]
    return {**named, "__default__": runs_pipeline(compared, plan.datasets) + comparison_pipeline(plan)}
