"""The pipeline `study`: the union of its runs' pipelines, and its table beside the published one."""

from typing import Any

from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node

from openfer.code_version import gathers, runs
from openfer.nn.initialisation_settings import PRETRAIN
from openfer.pipelines import probing
from openfer.pipelines.by_name import by_name, named
from openfer.pipelines.planned import current_plan
from openfer.pipelines.run_pipeline import catalog_name, runs_pipeline, sources
from openfer.pipelines.study import nodes
from openfer.runs.datasets import Datasets
from openfer.runs.plan import RunPlan
from openfer.runs.study import PlannedStudy
from openfer.runs.tags import PUBLISHES, STUDY, run_tag


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
    inputs = _plan(planned) | _runs(planned)
    inputs |= named("rows", {name: catalog_name(name, "rows") for name in used})
    inputs |= named("groups", {name: f"{name}_groups" for name in used})
    results = [f"{space}.{name}" for name in ("cells_table", "table_table", "table_text", "comparison_table")]
    table = by_name(gathers(nodes.table), "runs", "rows", "groups")
    figures = [f"{space}.table_picture", f"{space}.table_plot"]
    return [
        node(table, inputs, results, name="table", namespace=space, tags=STUDY),
        node(nodes.figures, ["params:study_plan", results[1]], figures, name="figures", namespace=space),
    ]


def _probes(planned: PlannedStudy) -> list[Node]:
    space = _space(planned)
    made = [_probe(run) for run in planned.runs.values()]
    inputs = _plan(planned)
    for part in ("probes", "independence"):
        inputs |= named(part, {run.slug: f"{run.slug}_{part}" for run in planned.runs.values()})
    tables = [f"{space}.probes_table", f"{space}.independence_table"]
    pictures = [f"{space}.probes_plot", f"{space}.probes_picture"]
    collect = by_name(gathers(nodes.collect_probes), "probes", "independence")
    return [
        *made,
        node(collect, inputs, tables, name="probes", namespace=space),
        node(nodes.probe_figures, tables[0], pictures, name="probe_figures", namespace=space),
    ]


def _probe(run: RunPlan) -> Node:
    settings = run.settings
    inputs = {"run": f"params:runs.{run.slug}", "models": f"{run.training.slug}_models"}
    inputs |= sources(settings.datasets, ("rows", "faces", "split", *settings.declared.extras))
    inputs |= named("truths", {name: f"{name}_truths" for name in settings.datasets})
    if settings.is_pretrained:
        inputs |= named("prerequisites", {PRETRAIN: f"{run.prerequisites[PRETRAIN].slug}_models"})
    probe = by_name(runs(probing.probe_run, f"openfer.methods.{run.method}"), "sources", "truths", "prerequisites")
    outputs = [f"{run.slug}_probes", f"{run.slug}_independence"]
    return node(probe, inputs, outputs, name="probe", namespace=run.namespace, tags=run_tag(run.slug))


def _embedding(planned: PlannedStudy) -> list[Node]:
    space = _space(planned)
    slugs = nodes.first_runs(planned.plan).values()
    inputs = named("runs", {slug: f"{slug}_run" for slug in slugs})
    inputs |= _plan(planned) | named("features", {slug: f"{slug}_features" for slug in slugs})
    pictures = [f"{space}.tsne_plot", f"{space}.tsne_picture"]
    embed = by_name(gathers(nodes.embed), "runs", "features")
    return [
        node(embed, inputs, f"{space}.tsne", name="embed", namespace=space),
        node(nodes.embedding_figures, f"{space}.tsne", pictures, name="embedding_figures", namespace=space),
    ]


def _space(planned: PlannedStudy) -> str:
    return f"studies.{planned.plan.name}"


def _plan(planned: PlannedStudy) -> dict[str, str]:
    return {"plan": "params:study_plan"}


def _runs(planned: PlannedStudy) -> dict[str, str]:
    return named("runs", {slug: f"{slug}_run" for slug in planned.runs})
