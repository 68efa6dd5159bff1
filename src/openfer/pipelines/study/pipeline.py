"""The pipeline `study`: the data of the study asked for, its runs, and its table beside the published one."""

from collections.abc import Mapping
from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import resumes, runs
from openfer.pipelines.asked_study import asked_study
from openfer.pipelines.bound import bound
from openfer.pipelines.in_use import EMBEDDED
from openfer.pipelines.ingest import data_pipeline
from openfer.pipelines.study import features, nodes
from openfer.pipelines.template import catalog_name


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline of the study named by the parameter ``study``."""
    asked = asked_study()
    name = asked.name
    parts = {
        (dataset, part): catalog_name(dataset, "rows@table" if part == "rows" else part)
        for dataset, extras in asked.datasets.items()
        for part in ("rows", "faces", "split", "groups", *extras)
    }
    looked_at = {key: entry for key, entry in parts.items() if key[1] != "groups"}
    told = {key: value for key, value in parts.items() if key[1] in ("rows", "groups")}
    results = [f"{name}.cells", f"{name}.answers", f"{name}.cell_facts"]
    code = [f"openfer.methods.{method}" for method in asked.methods]
    further = _probes(name, looked_at) if asked.probes else Pipeline([])
    further += _embedding(name) if asked.embedding else Pipeline([])
    return (
        data_pipeline(asked.datasets)
        + further
        + Pipeline(
            [
                node(
                    resumes(runs(bound(nodes.run_cells, tuple(looked_at)), *code)),
                    ["params:study_plan", "study_runs", *looked_at.values()],
                    results,
                    name="cells",
                    namespace=name,
                ),
                node(
                    bound(nodes.table, tuple(told)),
                    ["params:study_plan", *results, *told.values()],
                    [f"{name}.study_table", f"{name}.study_report", f"{name}.study_comparison"],
                    name="table",
                    namespace=name,
                ),
                node(
                    nodes.figures,
                    ["params:study_plan", f"{name}.study_table"],
                    [f"{name}.study_picture", f"{name}.study_plot"],
                    name="figures",
                    namespace=name,
                ),
            ]
        )
    )


def _probes(name: str, parts: Mapping[tuple[str, str], str]) -> Pipeline:
    rendered = {dataset for dataset, _ in parts if dataset in EMBEDDED}
    looked_at = {**parts, **{(dataset, "truths"): catalog_name(dataset, "truths") for dataset in sorted(rendered)}}
    return Pipeline(
        [
            node(
                bound(features.probe_cells, tuple(looked_at)),
                ["params:study_plan", "study_runs", f"{name}.cells", *looked_at.values()],
                [f"{name}.probes", f"{name}.independence"],
                name="probe",
                namespace=name,
            ),
            node(
                features.probe_figures,
                f"{name}.probes",
                [f"{name}.probe_plot", f"{name}.probe_picture"],
                name="probe_figures",
                namespace=name,
            ),
        ]
    )


def _embedding(name: str) -> Pipeline:
    return Pipeline(
        [
            node(
                features.embed_cells,
                ["params:study_plan", "study_runs", f"{name}.cells"],
                f"{name}.study_tsne",
                name="embed",
                namespace=name,
            ),
            node(
                features.embedding_figures,
                f"{name}.study_tsne",
                [f"{name}.study_tsne_plot", f"{name}.study_tsne_picture"],
                name="embedding_figures",
                namespace=name,
            ),
        ]
    )
