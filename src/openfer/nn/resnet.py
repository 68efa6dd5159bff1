"""ResNet-18 as a trunk that returns a feature map after each of its five blocks."""

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

from openfer.nn.image_size import refuse_small
from openfer.nn.staged_trunk import StagedTrunk

TAP_CHANNELS = (64, 64, 128, 256, 512)
"""Channels of the five taps u_1..u_5."""

SMALLEST_SIDE = 33
"""Pixels of the shortest image side: the last map, a 32nd rounded up, then has 2 x 2 cells."""

_SMALLEST_SMALL_SIDE = 9
"""The same with the stem for small images, whose last map is an eighth."""


class ResNet18Trunk(StagedTrunk):
    """ResNet-18 without its pooling and classifier (11,176,512 parameters).

    ADDL's shared subnetwork S_g, whose "five blocks" are the stem and the four stages. The keys
    of its state are torchvision's, so that ordinary ResNet-18 weights load without translation.

    Args:
        block: what the four stages are made of, two in each.
        small_images: a first convolution of 3 x 3 without stride, and no pooling behind it, as is usual for images of
            32 to 64 pixels (11,168,832 parameters). Maps are four times as wide, with 15 times the work; of ordinary
            weights all tensors but the first fit.
    """

    def __init__(self, block: type[BasicBlock] = BasicBlock, *, small_images: bool = False) -> None:
        super().__init__()
        self._smallest_side = _SMALLEST_SMALL_SIDE if small_images else SMALLEST_SIDE
        network = ResNet(block, [2, 2, 2, 2])
        self.conv1, self.bn1, self.relu, self.maxpool = network.conv1, network.bn1, network.relu, network.maxpool
        if small_images:
            self.conv1, self.maxpool = nn.Conv2d(3, TAP_CHANNELS[0], 3, padding=1, bias=False), nn.Identity()
            nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")
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
        refuse_small(images, self._smallest_side, 224)
        maps: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        return maps
