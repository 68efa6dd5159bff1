"""The pipeline `manet`: the template, and figures of its patches and branches."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs
from openfer.pipelines import branch_nodes
from openfer.pipelines.template import method_pipeline, tables_of

_CODE = "openfer.methods.manet"


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `manet`."""
    figures = [
        node(
            runs(branch_nodes.similarity, _CODE),
            ["params:manet", "manet_models", *tables_of("manet")],
            "manet.similarity",
            name="similarity",
            namespace="manet",
        ),
        node(
            branch_nodes.similarity_figure,
            "manet_history",
            "manet.similarity_picture",
            name="similarity_figure",
            namespace="manet",
        ),
        node(
            runs(branch_nodes.attention_figure, _CODE),
            ["params:manet", "manet_models", *tables_of("manet")],
            "manet.attention_picture",
            name="attention",
            namespace="manet",
        ),
    ]
    return method_pipeline("manet") + Pipeline(figures)
