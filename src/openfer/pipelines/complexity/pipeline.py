"""The pipeline `complexity`."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs
from openfer.methods.declaration import METHODS
from openfer.pipelines.complexity.nodes import complexity_table, cost_picture, cost_plot, measure_latency


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `complexity`: counts of all registered methods, and times of those of expressions."""
    name, latency = "complexity", "complexity.latency"
    methods = [f"openfer.methods.{method}" for method in METHODS.names()]
    return Pipeline(
        [
            node(runs(complexity_table, *methods), None, name, name="count_parameters_and_macs", namespace=name),
            node(
                runs(measure_latency, *methods),
                [f"params:{name}", name],
                latency,
                name="measure_latency",
                namespace=name,
            ),
            node(cost_plot, latency, f"{name}.cost_plot", name="cost_plot", namespace=name),
            node(cost_picture, latency, f"{name}.cost_picture", name="cost_picture", namespace=name),
        ]
    )
