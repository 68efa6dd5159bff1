"""The pipeline `study`: the union of its runs' pipelines, and its table beside the published one."""

from typing import Any

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer.code_version import gathers, runs
from openfer.pipelines import evaluation_nodes, probing
from openfer.pipelines.by_name import by_name, named
from openfer.pipelines.planned import current_plan
from openfer.pipelines.run_pipeline import catalog_name, runs_pipeline, sources
from openfer.pipelines.space import Space
from openfer.pipelines.study import nodes
from openfer.runs.datasets import Datasets
from openfer.runs.plan import RunPlan
from openfer.runs.study import PlannedStudy
from openfer.runs.tags import CHECKS, PICTURE, PUBLISHES, STUDY, run_tag

_PLAN = "params:study_plan"


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline of the study named by the parameter ``study``; an empty one where none is described."""
    plan = current_plan()
    return Pipeline([]) if plan.study is None else study_pipeline(plan.study, plan.datasets)


def study_pipeline(planned: PlannedStudy, datasets: Datasets) -> Pipeline:
    """Return the pipeline of a study. Its models are not logged to MLflow; their own pipelines do that.

    Args:
        planned: the study with its runs.
        datasets: the project's.
    """
    study, whole = planned.plan.study, runs_pipeline(planned.runs.values(), datasets)
    kept = Pipeline([each for each in whole.nodes if PUBLISHES not in each.tags])
    further = [
        *_table(planned),
        *(_probes(planned) if study.probes else []),
        *(_embedding(planned) if study.embedding else []),
    ]
    return kept + Pipeline(further)


def _table(planned: PlannedStudy) -> list[Node]:
    space = _space(planned)
    used = dict.fromkeys(name for run in planned.runs.values() for name in run.settings.datasets)
    inputs = {"plan": _PLAN} | named("runs", {slug: f"{slug}_run" for slug in planned.runs})
    inputs |= named("rows", {name: catalog_name(name, "rows") for name in used})
    inputs |= named("groups", {name: f"{name}_groups" for name in used})
    results = [space.own(name) for name in ("cells_table", "table_table", "table_text", "comparison_table")]
    table = by_name(gathers(nodes.table), "runs", "rows", "groups")
    return [
        *_columns(planned),
        space(table, inputs, results, "table", STUDY),
        space(nodes.figure, [_PLAN, results[1]], space.own("table_picture"), "figure", PICTURE),
    ]


def _columns(planned: PlannedStudy) -> list[Node]:
    """Return the check of columns that count a group of faces."""
    counting = [column for column in planned.plan.study.columns.values() if column.counts and column.counts.by]
    if not counting:
        return []
    space = _space(planned)
    used = dict.fromkeys(name for column in counting for name in column.datasets)
    inputs = {"plan": _PLAN} | named("groups", {name: f"{name}_groups" for name in used})
    return [space(by_name(nodes.columns, "groups"), inputs, space.own("columns_table"), "columns", CHECKS)]


def _probes(planned: PlannedStudy) -> list[Node]:
    space = _space(planned)
    made = [_probe(run) for run in planned.runs.values()]
    inputs = {"plan": _PLAN}
    for part in ("probes", "independence"):
        inputs |= named(part, {run.slug: f"{run.slug}_{part}" for run in planned.runs.values()})
    tables = [space.own("probes_table"), space.own("independence_table")]
    collect = by_name(gathers(nodes.collect_probes), "probes", "independence")
    return [
        *made,
        space(collect, inputs, tables, "probes"),
        space(nodes.probe_figure, tables[0], space.own("probes_picture"), "probe_figure"),
    ]


def _probe(run: RunPlan) -> Node:
    settings = run.settings
    inputs = {"run": f"params:runs.{run.slug}", "models": f"{run.training.slug}_models"}
    inputs |= sources(settings.datasets, ("rows", "faces", "split", *settings.declared.extras))
    inputs |= named("truths", {name: f"{name}_truths" for name in settings.datasets})
    if settings.start is not None:
        inputs |= named("prerequisites", {settings.start: f"{run.prerequisites[settings.start].slug}_models"})
    probe = by_name(runs(probing.probe_run, f"openfer.methods.{run.method}"), "sources", "truths", "prerequisites")
    outputs = [f"{run.slug}_probes", f"{run.slug}_independence"]
    return Space(run.namespace, run_tag(run.slug))(probe, inputs, outputs, "probe")


def _embedding(planned: PlannedStudy) -> list[Node]:
    space = _space(planned)
    slugs = nodes.first_runs(planned.plan).values()
    inputs = named("runs", {slug: f"{slug}_run" for slug in slugs})
    inputs |= {"plan": _PLAN} | named("features", {slug: f"{slug}_features" for slug in slugs})
    embed = by_name(gathers(nodes.embed), "runs", "features")
    return [
        space(embed, inputs, space.own("tsne"), "embed"),
        space(evaluation_nodes.tsne_figure, space.own("tsne"), space.own("tsne_picture"), "tsne_figure"),
    ]


def _space(planned: PlannedStudy) -> Space:
    return Space(f"studies.{planned.plan.name}")
