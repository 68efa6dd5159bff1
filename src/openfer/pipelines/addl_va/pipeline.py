"""The pipeline `addl_va`: DFEM -> ADDM -> ADDM with valence and arousal (ADDL, Table 14)."""

from typing import Any

from kedro.pipeline import Pipeline

from openfer.pipelines.method_run import prerequisites_of
from openfer.pipelines.template import method_pipeline


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `addl_va`."""
    return sum((method_pipeline(name) for name in (*prerequisites_of("addl_va"), "addl_va")), Pipeline([]))
