"""The pipeline `study`: the data of the study asked for, its runs, and its table beside the published one."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import resumes, runs
from openfer.pipelines.bound import bound
from openfer.pipelines.in_use import asked_study
from openfer.pipelines.ingest import data_pipeline
from openfer.pipelines.study import nodes
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
    told = {key: value for key, value in parts.items() if key[1] in ("rows", "groups")}
    results = [f"{name}.cells", f"{name}.answers", f"{name}.cell_facts"]
    code = [f"openfer.methods.{method}" for method in asked.methods]
    return data_pipeline(asked.datasets) + Pipeline(
        [
            node(
                resumes(runs(bound(nodes.run_cells, tuple(parts)), *code)),
                ["params:study_plan", "study_runs", *parts.values()],
                results,
                name="cells",
                namespace=name,
            ),
            node(
                bound(nodes.table, tuple(told)),
                ["params:study_plan", *results, *told.values()],
                [f"{name}.study_table", f"{name}.study_report"],
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
