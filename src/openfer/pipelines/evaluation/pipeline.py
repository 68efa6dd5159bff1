"""The pipeline `evaluation`: runs of several methods -> one comparison; or foreign predictions -> their scores."""

from typing import Any

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer.pipelines import evaluation_nodes
from openfer.pipelines.by_name import by_name, named
from openfer.pipelines.foreign import foreign_pipeline
from openfer.pipelines.planned import current_plan
from openfer.pipelines.space import Space
from openfer.runs.project import Plan
from openfer.runs.tags import SUMMARY

_SPACE = Space("summary")
_COMPARED = ("results_table", "comparison_table", "sentences_json", "results_text", "recall_picture")


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `evaluation` of the methods named by ``compared_methods``, which must have been trained.

    With the parameter ``predictions``, a file of another program, it scores these predictions of ``dataset``.
    """
    plan = current_plan()
    if plan.foreign is not None:
        return foreign_pipeline(plan.foreign, plan.datasets)
    return comparison_pipeline(plan)


def comparison_pipeline(plan: Plan) -> Pipeline:
    """Return the comparison of the methods named by ``compared_methods``: all their requested runs.

    Pictures show the first run of each method.
    """
    methods = [name for name in plan.compared if name in plan.requested]
    runs = [run for name in methods for run in plan.requested[name]]
    first = [plan.requested[name][0].slug for name in methods]
    every = named("runs", {run.slug: f"{run.slug}_run" for run in runs})
    one = named("runs", {slug: f"{slug}_run" for slug in first})
    features = named("features", {slug: f"{slug}_features" for slug in first})
    seeing = [run for run in (plan.requested[name][0] for name in methods) if run.settings.declared.looks_at_pixels]
    maps = named("maps", {run.slug: f"{run.slug}_grad_cam" for run in seeing})
    compare, curves = (by_name(f, "runs") for f in (evaluation_nodes.compare, evaluation_nodes.all_curves))
    look, embed = (
        by_name(evaluation_nodes.grad_cam_comparison, "maps"),
        by_name(evaluation_nodes.tsne, "runs", "features"),
    )
    own = _SPACE.own
    return Pipeline(
        [
            _SPACE(compare, every, {name: own(name) for name in _COMPARED}, "compare", SUMMARY),
            _SPACE(curves, one, own("curves_picture"), "curves"),
            *([_SPACE(look, maps, own("grad_cam_picture"), "grad_cam")] if seeing else []),
            _SPACE(embed, one | features, own("tsne"), "tsne"),
            _SPACE(evaluation_nodes.tsne_figure, own("tsne"), own("tsne_picture"), "tsne_figure"),
            *_elsewhere(plan, methods),
        ]
    )


def _elsewhere(plan: Plan, methods: list[str]) -> list[Node]:
    """Return the matrix of the runs that are tested on other datasets; nothing if none is."""
    runs = [plan.requested[name][0] for name in methods if plan.requested[name][0].settings.test_datasets]
    if not runs:
        return []
    parts = ("predictions", "facts", "elsewhere")
    tables = {f"runs.{run.slug}.{part}": f"{run.slug}_{part}" for run in runs for part in parts}
    matrix, picture = _SPACE.own("cross_dataset_table"), _SPACE.own("cross_dataset_picture")
    table, figure = by_name(evaluation_nodes.cross_dataset, "runs"), evaluation_nodes.cross_dataset_figure
    return [
        _SPACE(table, tables, matrix, "cross_dataset"),
        _SPACE(figure, matrix, picture, "cross_dataset_figure"),
    ]
