"""A trained run as one ONNX file with its card, and one of 8-bit integers."""

from openfer.pipelines.export.pipeline import create_pipeline, export_pipeline

__all__ = ["create_pipeline", "export_pipeline"]
