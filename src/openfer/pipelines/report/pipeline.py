"""The pipeline `report`: what all runs have left -> one page."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.pipelines.report import nodes
from openfer.runs.tags import REPORT

_PARTS = {"page": "report_page", "markdown": "leaderboard_text", "latex": "leaderboard_latex", "ledger": "ledger_table"}


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `report` of whatever runs and studies there are when it starts."""
    parts = {part: f"report.{name}" for part, name in _PARTS.items()}
    return Pipeline([node(nodes.report, ["runs", "studies"], parts, name="report", namespace="report", tags=REPORT)])
