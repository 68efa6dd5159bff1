"""The expressions of all faces in a folder of images and videos."""

from openfer.pipelines.predict.pipeline import create_pipeline

__all__ = ["create_pipeline"]
