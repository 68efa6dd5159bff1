"""Parameters, multiply-accumulates and times of the models, beside nothing: they depend on no data."""

from openfer.pipelines.complexity.pipeline import create_pipeline

__all__ = ["create_pipeline"]
