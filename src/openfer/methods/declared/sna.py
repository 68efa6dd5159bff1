"""SNA: the two-scale network with the neighbourhood mask; its settings are those of the two-scale network."""

from openfer.methods.declaration import Declaration, network_at
from openfer.methods.declared.two_scale import TwoScaleSettings

METHOD = Declaration(
    name="sna",
    settings=TwoScaleSettings,
    network=network_at("openfer.methods.sna:SNA"),
    supports_sample_weights=True,
    input_side=112,
)
