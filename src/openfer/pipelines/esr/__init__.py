"""ESR: an ensemble grown branch by branch, with what its branches add and how they differ."""

from openfer.pipelines.esr.pipeline import create_pipeline

__all__ = ["create_pipeline"]
