"""The backbones that can be learned ahead of a method, and those that published weights are of, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import nn

from openfer.nn import dlib_resnet, resnet, resnet50
from openfer.nn.channel_attention import EfficientChannelAttention
from openfer.nn.choices import Kernel, TrunkName
from openfer.nn.dlib_resnet import DlibResNet29Trunk
from openfer.nn.eca_resnet import ECAResNet18Trunk
from openfer.nn.manet_network import MANetwork
from openfer.nn.resnet import ResNet18Trunk
from openfer.nn.resnet50 import ResNet50Trunk


@dataclass(frozen=True)
class Trunk:
    """A backbone without pooling and classifier.

    Attributes:
        build: makes it with random weights; it gives its maps, the last ones last, or its last maps alone.
        taps: channels of the maps that it gives.
    """

    build: Callable[[], nn.Module]
    taps: tuple[int, ...]

    @property
    def channels(self) -> int:
        """Channels of the last maps."""
        return self.taps[-1]


SMALL = "resnet18_small_images"

ECA = "eca_resnet18"
"""The trunk that is built for a kernel of its attention."""

TRUNKS: Mapping[str, Trunk] = {
    "resnet18": Trunk(ResNet18Trunk, resnet.TAP_CHANNELS),
    ECA: Trunk(ECAResNet18Trunk, resnet.TAP_CHANNELS),
    "resnet50": Trunk(ResNet50Trunk, (resnet50.CHANNELS,)),
    "dlib_resnet29": Trunk(DlibResNet29Trunk, dlib_resnet.TAP_CHANNELS),
    SMALL: Trunk(partial(ResNet18Trunk, small_images=True), resnet.TAP_CHANNELS),
}

ARCHITECTURES: Mapping[str, Callable[[], nn.Module]] = {
    **{name: trunk.build for name, trunk in TRUNKS.items()},
    "manet": MANetwork,
}
"""What the files of the weight manifest may be of."""


def with_channel_attention(name: TrunkName, kernel: Kernel) -> nn.Module:
    """Return a trunk of which every residual block weighs its channels (ECA), with random weights.

    Args:
        name: the trunk.
        kernel: length of the attention's convolutions.
    """
    if name == "dlib_resnet29":
        return DlibResNet29Trunk(lambda channels: EfficientChannelAttention(channels, kernel))
    return ECAResNet18Trunk(kernel, small_images=name == SMALL)
