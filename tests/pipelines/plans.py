"""Plans of the project's own parameters, with changes: what a test asks of pipelines without a Kedro session."""

import copy
import functools
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from openfer.hooks import PlanHook
from openfer.nn.weight_manifest import with_weights
from openfer.pipelines import planned
from openfer.pipelines.run_pipeline import runs_pipeline
from openfer.runners import command
from openfer.runs.project import Plan, plan
from openfer.runs.recipes import laid_over, with_overrides
from openfer.settings import CONFIG_LOADER_ARGS, CONFIG_LOADER_CLASS
from tests.pipelines.conftest import ROOT


def project_parameters(environment: str = "base", **changes: Any) -> dict[str, Any]:
    """Return the parameters of this project.

    Args:
        environment: base or paper.
        **changes: what to lay over them, by top-level name.
    """
    return with_overrides(laid_over(copy.deepcopy(_read(environment)), changes), changes)


def project_plan(environment: str = "base", **changes: Any) -> Plan:
    """Return what those parameters ask for."""
    return plan(project_parameters(environment, **changes))


def begin(pipeline: Pipeline, catalog: CatalogProtocol, made: Plan) -> None:
    """Do what Kedro does before it runs a pipeline of a plan."""
    names: dict[str, Any] = {"pipeline_names": None, "project_path": str(ROOT), "env": None, "runtime_params": {}}
    planned.hand_over(made)
    try:
        PlanHook().before_pipeline_run(names, pipeline, catalog)
    finally:
        planned._handed.clear()
        command._handed.clear()


def method_nodes(name: str, **changes: Any) -> dict[str, Any]:
    """Return the nodes of the pipeline of a method by name, those of its first run as ``<method>.<node>``.

    Args:
        name: of the method.
        **changes: what to lay over the parameters, by top-level name.
    """
    made = project_plan(**changes)
    return {unslugged(node.name): node for node in runs_pipeline(made.requested[name], made.datasets).nodes}


def unslugged(name: str) -> str:
    """Return the name of a node or dataset without the slug: ``addl.addl-s0-f0-3fa92c.train`` is ``addl.train``."""
    words = name.split(".")
    return ".".join(word for i, word in enumerate(words) if not (i and word.startswith(f"{words[i - 1]}-s")))


@functools.cache
def _read(environment: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {**CONFIG_LOADER_ARGS, "local_env": None}
    loader = CONFIG_LOADER_CLASS(str(ROOT / "conf"), env=environment, **arguments)
    return dict(with_weights(loader["parameters"], loader["weights"]))
