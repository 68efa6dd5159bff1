"""The pipeline `sna`: its four stages, the neighbours, and who was masked."""

from typing import Any

from kedro.pipeline import Pipeline

from openfer.pipelines import sna_generator
from openfer.pipelines.template import method_pipeline


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `sna`."""
    return sna_generator.create_pipeline() + method_pipeline("sna")
