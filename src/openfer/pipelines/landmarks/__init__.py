"""Find 68 points on a dataset's faces; a landmarker with confidence is made on rendered faces first."""

from openfer.pipelines.landmarks.pipeline import create_pipeline, landmarks_pipeline

__all__ = ["create_pipeline", "landmarks_pipeline"]
