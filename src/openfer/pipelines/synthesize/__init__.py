"""Render the embedded faces: scenes -> rows, faces, split."""

from openfer.pipelines.synthesize.pipeline import create_pipeline, synthesize_pipeline

__all__ = ["create_pipeline", "synthesize_pipeline"]
