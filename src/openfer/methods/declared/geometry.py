"""Geometry: a small classifier of blendshapes and mesh, a floor for networks: its declaration."""

from typing import Literal

from openfer.methods.declaration import Declaration, network_at
from openfer.methods.declared.probe import SmallClassifierSettings


class GeometrySettings(SmallClassifierSettings):
    """Parameters of the small classifier of geometry; from no paper.

    Attributes:
        reads: ``blendshapes`` (52 numbers), ``mesh`` (478 points) or ``both``. The mesh tells more of rendered faces,
            and also the shape of the person's face, which differs between rendered and real ones.
    """

    reads: Literal["blendshapes", "mesh", "both"] = "both"


METHOD = Declaration(
    name="geometry",
    settings=GeometrySettings,
    network=network_at("openfer.methods.geometry:Geometry"),
    extras=("geometry",),
    looks_at_pixels=False,
    supports_sample_weights=True,
    supports_soft_labels=True,
)
