"""SNA: all four stages, with pictures of who was masked."""

from openfer.pipelines.sna.pipeline import create_pipeline

__all__ = ["create_pipeline"]
