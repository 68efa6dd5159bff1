"""ADDL for valence and arousal, from the first face on."""

from openfer.pipelines.addl_va.pipeline import create_pipeline

__all__ = ["create_pipeline"]
