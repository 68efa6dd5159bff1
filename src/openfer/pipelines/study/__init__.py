"""Studies: every table of the papers by name, or any other grid."""

from openfer.pipelines.study.pipeline import create_pipeline

__all__ = ["create_pipeline"]
