"""ResNet-50 as a trunk whose last maps stay twice as fine: the stride of one stage is taken out."""

from collections.abc import Sequence
from typing import Literal

import torchvision
from torch import Tensor
from torchvision.models.resnet import Bottleneck

from openfer.nn.choices import RESNET50
from openfer.nn.image_size import refuse_small
from openfer.nn.staged_trunk import StagedTrunk

CHANNELS = 2048
"""Channels of the last maps F."""

REDUCTION = 16
"""Pixels of the image's side to one cell of F: 14 x 14 cells at 224 pixels."""


SMALLEST_SIDE = 17
"""Pixels of the shortest image side: F then has 2 x 2 cells."""


class ResNet50Trunk(StagedTrunk):
    """ResNet-50 without its pooling and classifier, one stage unstrided (23,508,032 parameters).

    The keys of its state are torchvision's, so that ordinary ResNet-50 weights load without translation; taking a
    stride out changes no weight's shape.

    Args:
        unstrided: the stage whose first block keeps its input's size, by torchvision's name. ``layer4`` costs
            6.2 G multiply-accumulates at 224 pixels, ``layer3`` 10.6 G, with maps of the same size.
        blocks: bottlenecks in each stage; fewer than ResNet-50's make a trunk for small studies.
    """

    def __init__(self, unstrided: Literal["layer3", "layer4"] = "layer4", blocks: Sequence[int] = RESNET50) -> None:
        super().__init__()
        network = torchvision.models.ResNet(Bottleneck, list(blocks))
        first = getattr(network, unstrided)[0]
        first.conv2.stride = first.downsample[0].stride = (1, 1)
        self.conv1, self.bn1, self.relu, self.maxpool = network.conv1, network.bn1, network.relu, network.maxpool
        self.layer1, self.layer2 = network.layer1, network.layer2
        self.layer3, self.layer4 = network.layer3, network.layer4

    def forward(self, images: Tensor) -> Tensor:
        """Return F, at least zero everywhere.

        Args:
            images: (B, 3, H, W), normalised, H and W at least :data:`SMALLEST_SIDE`.

        Returns:
            Maps (B, 2048, H / 16, W / 16), sides rounded up.

        Raises:
            ParameterError: if the images are too small.
        """
        return self.all_maps(images)[-1]

    def first_maps(self, images: Tensor) -> Tensor:
        """Return the maps of the stem."""
        refuse_small(images, SMALLEST_SIDE, 224)
        maps: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        return maps
