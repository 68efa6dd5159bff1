"""Learn 68 points with confidence on rendered faces, measure them, and find them on a dataset's faces."""

from openfer.pipelines.landmarks.pipeline import create_pipeline, learn_pipeline

__all__ = ["create_pipeline", "learn_pipeline"]
