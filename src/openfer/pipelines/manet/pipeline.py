"""The pipeline `manet`: the template, and figures of its patches and branches."""

from typing import Any

from kedro.pipeline import Pipeline

from openfer.pipelines.branch_template import branch_pipeline


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `manet`."""
    return branch_pipeline("manet")
