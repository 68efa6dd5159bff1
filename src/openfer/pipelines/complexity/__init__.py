"""Parameters, multiply-accumulates, memory and times of the models; they depend on no data."""

from openfer.pipelines.complexity.pipeline import create_pipeline

__all__ = ["create_pipeline"]
