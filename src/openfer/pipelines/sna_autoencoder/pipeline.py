"""The pipeline `sna_autoencoder`: faces -> model."""

from typing import Any

from kedro.pipeline import Pipeline

from openfer.pipelines.template import training_pipeline


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `sna_autoencoder`."""
    return training_pipeline("sna_autoencoder")
