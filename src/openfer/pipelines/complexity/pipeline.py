"""The pipeline `complexity`."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.pipelines.complexity.nodes import complexity_table


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `complexity`: one table at 224 pixels."""
    return Pipeline([node(complexity_table, None, "complexity", name="count_parameters_and_macs")])
