"""The pipeline `complexity`."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs
from openfer.methods.names import method_names
from openfer.pipelines.complexity.nodes import complexity_table


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `complexity`: one table of all registered methods."""
    count = runs(complexity_table, *(f"openfer.methods.{name}" for name in method_names()))
    return Pipeline([node(count, None, "complexity", name="count_parameters_and_macs")])
