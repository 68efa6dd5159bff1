"""The pipeline `complexity`."""

from typing import Any

from kedro.pipeline import Pipeline

from openfer.code_version import runs
from openfer.methods.declaration import METHODS
from openfer.pipelines.complexity.nodes import complexity_table, cost_figure, measure_latency
from openfer.pipelines.space import Space


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `complexity`: counts of all registered methods, and times of those of expressions."""
    space = Space("complexity")
    counts, latency = space.own("complexity_table"), space.own("latency_table")
    methods = [f"openfer.methods.{method}" for method in METHODS.names()]
    count, measure = runs(complexity_table, *methods), runs(measure_latency, *methods)
    return Pipeline(
        [
            space(count, None, counts, "count_parameters_and_macs"),
            space(measure, ["params:complexity", counts], latency, "measure_latency"),
            space(cost_figure, latency, space.own("cost_picture"), "cost_figure"),
        ]
    )
