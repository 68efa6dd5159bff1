"""The pipeline `addl`: DFEM -> ADDM -> predictions -> report, with the paper's Figures 5 and 6."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs
from openfer.pipelines.addl import nodes
from openfer.pipelines.template import method_pipeline, tables_of

_CODE = "openfer.methods.addl"


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `addl`."""
    figures = Pipeline(
        [
            node(
                runs(nodes.importance, _CODE),
                ["params:addl", "addl_models", *tables_of("addl")],
                "addl.importance",
                name="importance",
                namespace="addl",
            ),
            node(
                nodes.importance_figures,
                "addl.importance",
                ["addl.importance_plot", "addl.importance_picture"],
                name="importance_figures",
                namespace="addl",
            ),
            node(
                runs(nodes.attention, _CODE),
                ["params:addl", "addl_models", *tables_of("addl")],
                "addl.attention_picture",
                name="attention",
                namespace="addl",
            ),
        ]
    )
    return method_pipeline("dfem") + method_pipeline("addl") + figures
