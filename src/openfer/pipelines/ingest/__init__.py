"""From a raw folder to rows, aligned faces, a quarantine and a split."""

from openfer.pipelines.ingest.pipeline import create_pipeline, data_pipeline

__all__ = ["create_pipeline", "data_pipeline"]
