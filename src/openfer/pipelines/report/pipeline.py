"""The pipeline `report`: what all runs have left -> one page."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.pipelines.report import nodes

_PARTS = ("page", "markdown", "latex", "ledger")


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `report` of whatever runs and studies there are when it starts."""
    parts = {part: f"report.{part}" for part in _PARTS}
    return Pipeline([node(nodes.report, ["runs", "studies"], parts, name="report", namespace="report")])
