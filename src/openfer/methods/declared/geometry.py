"""Geometry: a small classifier of blendshapes and mesh, a floor for networks: its declaration."""

from openfer.methods.declaration import Declaration, network_at
from openfer.methods.declared.probe import SmallClassifierSettings

METHOD = Declaration(
    name="geometry",
    settings=SmallClassifierSettings,
    network=network_at("openfer.methods.geometry:Geometry"),
    extras=("geometry",),
    looks_at_pixels=False,
    supports_sample_weights=True,
)
