"""One page of all runs."""

from openfer.pipelines.report.pipeline import create_pipeline

__all__ = ["create_pipeline"]
