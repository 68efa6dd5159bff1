"""The pipeline `complexity`."""

from typing import Any

from kedro.pipeline import Pipeline

from openfer.code_version import runs
from openfer.methods.declaration import METHODS
from openfer.pipelines.complexity.nodes import complexity_table, cost_figure, measure_latency, memory_table
from openfer.pipelines.space import Space


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `complexity`: counts and memory of all registered methods, times of those of expressions."""
    space = Space("complexity")
    counts, latency, memory = (space.own(f"{name}_table") for name in ("complexity", "latency", "memory"))
    methods = [f"openfer.methods.{method}" for method in METHODS.names()]
    count, measure, size = (runs(made, *methods) for made in (complexity_table, measure_latency, memory_table))
    return Pipeline(
        [
            space(count, None, counts, "count_parameters_and_macs"),
            space(size, None, memory, "count_memory"),
            space(measure, ["params:complexity", counts], latency, "measure_latency"),
            space(cost_figure, latency, space.own("cost_picture"), "cost_figure"),
        ]
    )
