"""The pipeline `esr`: the template, and figures of its branches."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs
from openfer.pipelines.branch_template import branch_pipeline
from openfer.pipelines.esr import nodes
from openfer.pipelines.template import tables_of


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `esr`."""
    voting = Pipeline(
        [
            node(
                runs(nodes.branches, "openfer.methods.esr"),
                ["params:esr", "esr_models", *tables_of("esr")],
                "esr.branches",
                name="branches",
                namespace="esr",
            ),
            node(
                nodes.branches_figure, "esr.branches", "esr.branches_picture", name="branches_figure", namespace="esr"
            ),
        ]
    )
    return branch_pipeline("esr") + voting
