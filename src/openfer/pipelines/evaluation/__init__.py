"""Methods beside each other on the same faces."""

from openfer.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
