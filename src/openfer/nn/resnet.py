"""ResNet-18 as a trunk that returns a feature map after each of its five blocks."""

from torch import Tensor
from torchvision.models.resnet import BasicBlock, ResNet

from openfer.nn.image_size import refuse_small
from openfer.nn.staged_trunk import StagedTrunk

TAP_CHANNELS = (64, 64, 128, 256, 512)
"""Channels of the five taps u_1..u_5."""

SMALLEST_SIDE = 33
"""Pixels of the shortest image side: the last map, a 32nd rounded up, then has 2 x 2 cells."""


class ResNet18Trunk(StagedTrunk):
    """ResNet-18 without its pooling and classifier (11,176,512 parameters).

    ADDL's shared subnetwork S_g, whose "five blocks" are the stem and the four stages. The keys
    of its state are torchvision's, so that ordinary ResNet-18 weights load without translation.

    Args:
        block: what the four stages are made of, two in each.
    """

    def __init__(self, block: type[BasicBlock] = BasicBlock) -> None:
        super().__init__()
        network = ResNet(block, [2, 2, 2, 2])
        self.conv1, self.bn1, self.relu, self.maxpool = network.conv1, network.bn1, network.relu, network.maxpool
        self.layer1, self.layer2 = network.layer1, network.layer2
        self.layer3, self.layer4 = network.layer3, network.layer4

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the taps u_1..u_5.

        Args:
            images: (B, 3, H, W), normalised, H and W at least :data:`SMALLEST_SIDE`; or maps of the frozen parts, which
                the taps then begin with.

        Returns:
            Maps with :data:`TAP_CHANNELS` channels; at 224 pixels 56, 56, 28, 14 and 7 wide.

        Raises:
            ParameterError: if the images are too small.
        """
        return tuple(self.all_maps(images))

    def first_maps(self, images: Tensor) -> Tensor:
        """Return the maps of the stem."""
        refuse_small(images, SMALLEST_SIDE, 224)
        maps: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        return maps
