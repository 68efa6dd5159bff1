"""Is your copy of a dataset the expected one?"""

from openfer.pipelines.doctor.pipeline import create_pipeline

__all__ = ["create_pipeline"]
