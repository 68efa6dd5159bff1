"""The pipeline `esr`: the template, and figures of its branches."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs
from openfer.pipelines import branch_nodes
from openfer.pipelines.esr import nodes
from openfer.pipelines.template import method_pipeline, tables_of

_CODE = "openfer.methods.esr"


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `esr`."""
    trained = ["params:esr", "esr_models", *tables_of("esr")]
    figures = [
        node(runs(nodes.branches, _CODE), trained, "esr.branches", name="branches", namespace="esr"),
        node(nodes.branches_figure, "esr.branches", "esr.branches_picture", name="branches_figure", namespace="esr"),
        node(
            runs(branch_nodes.similarity, _CODE),
            trained,
            "esr.similarity",
            name="similarity",
            namespace="esr",
        ),
        node(
            branch_nodes.similarity_figure,
            "esr_history",
            "esr.similarity_picture",
            name="similarity_figure",
            namespace="esr",
        ),
        node(
            runs(branch_nodes.attention_figure, _CODE),
            trained,
            "esr.attention_picture",
            name="attention",
            namespace="esr",
        ),
    ]
    return method_pipeline("esr") + Pipeline(figures)
