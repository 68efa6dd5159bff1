"""ADDL: the disturbing-feature extraction model, then the disentangling model and its figures."""

from openfer.pipelines.addl.pipeline import create_pipeline

__all__ = ["create_pipeline"]
