"""SNA's third stage: the generator of semantic neighbours, with pictures of what it draws."""

from openfer.pipelines.sna_generator.pipeline import create_pipeline

__all__ = ["create_pipeline"]
