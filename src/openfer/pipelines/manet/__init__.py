"""MA-Net: the template, with how its patches and branches differ and where they look."""

from openfer.pipelines.manet.pipeline import create_pipeline

__all__ = ["create_pipeline"]
