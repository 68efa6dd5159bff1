"""The pipeline `export`."""

from collections.abc import Iterable
from typing import Any

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer.code_version import runs
from openfer.pipelines.bound import bound
from openfer.pipelines.by_name import by_name
from openfer.pipelines.export import nodes
from openfer.pipelines.planned import current_plan
from openfer.pipelines.run_pipeline import runs_pipeline, sources
from openfer.pipelines.space import Space
from openfer.runs.plan import RunPlan
from openfer.runs.tags import EXPORTED


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline of the runs named by ``export.run``: their files, after all that they need."""
    plan = current_plan()
    return runs_pipeline(plan.exported, plan.datasets) + export_pipeline(plan.exported, int8=plan.export.int8)


def export_pipeline(exported: Iterable[RunPlan], *, int8: bool) -> Pipeline:
    """Return the nodes that make the files of runs which have been trained.

    Args:
        exported: the runs.
        int8: whether each has a second file of 8-bit integers.
    """
    return Pipeline([node for run in exported for node in _nodes(run, int8=int8)])


def _nodes(run: RunPlan, *, int8: bool) -> list[Node]:
    settings, space = run.settings, Space(f"export.{run.slug}")
    extras = settings.declared.extras
    given = {"run": f"params:runs.{run.slug}"} | sources(settings.datasets, ("rows", "faces", "split", *extras))
    if "open_features" in extras:
        given["open_features"] = "params:open_features"
    export = by_name(runs(bound(nodes.export, run.slug), f"openfer.methods.{run.method}"), "sources")
    models, made = {"models": f"{run.training.slug}_models"}, f"{run.slug}_onnx"
    found = [space(export, given | models, made, "export", EXPORTED)]
    if int8:
        inputs = given | {"settings": "params:export", "model": made}
        found.append(space(by_name(nodes.quantise, "sources"), inputs, f"{run.slug}_int8", "quantise", EXPORTED))
    return found
