"""The backbones that can be learned ahead of a method, and those that published weights are of, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from openfer.nn.eca_resnet import ECAResNet18Trunk
from openfer.nn.manet_network import MANetwork
from openfer.nn.resnet import TAP_CHANNELS, ResNet18Trunk
from openfer.nn.resnet50 import CHANNELS, ResNet50Trunk


@dataclass(frozen=True)
class Trunk:
    """A backbone without pooling and classifier.

    Attributes:
        build: makes it with random weights; it gives its maps, the last ones last, or its last maps alone.
        channels: of its last maps.
    """

    build: Callable[[], nn.Module]
    channels: int


TRUNKS: Mapping[str, Trunk] = {
    "resnet18": Trunk(ResNet18Trunk, TAP_CHANNELS[-1]),
    "eca_resnet18": Trunk(ECAResNet18Trunk, TAP_CHANNELS[-1]),
    "resnet50": Trunk(ResNet50Trunk, CHANNELS),
}

ARCHITECTURES: Mapping[str, Callable[[], nn.Module]] = {
    **{name: trunk.build for name, trunk in TRUNKS.items()},
    "manet": MANetwork,
}
"""What the files of the weight manifest may be of."""
