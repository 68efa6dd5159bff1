"""SNA's second stage: the autoencoder, which has no task and so no predictions."""

from openfer.pipelines.sna_autoencoder.pipeline import create_pipeline

__all__ = ["create_pipeline"]
