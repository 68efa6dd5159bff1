"""OADN: landmark-guided attention and facial regions, with the picture of what it attends to."""

from openfer.pipelines.oadn.pipeline import create_pipeline

__all__ = ["create_pipeline"]
