"""The pipeline `oadn`: the template with landmarks, and the paper's Figure 3."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs
from openfer.pipelines.oadn import nodes
from openfer.pipelines.template import method_pipeline, tables_of


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `oadn`; of a dataset that is not rendered, landmarks must have been found."""
    figures = Pipeline(
        [
            node(
                runs(nodes.attention, "openfer.methods.oadn"),
                ["params:oadn", "oadn_models", *tables_of("oadn")],
                "oadn.attention_picture",
                name="attention",
                namespace="oadn",
            ),
        ]
    )
    return method_pipeline("oadn") + figures
