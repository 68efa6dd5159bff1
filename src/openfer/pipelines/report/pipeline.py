"""The pipeline `report`: what all runs have left -> one page."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.pipelines.report import nodes

_PARTS = ("page", "markdown", "latex", "ledger")


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `report` of whatever runs there are when it starts."""
    return Pipeline(
        [node(nodes.report, "runs", {part: f"report.{part}" for part in _PARTS}, name="report", namespace="report")]
    )
