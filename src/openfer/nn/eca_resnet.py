"""ECA-ResNet-18: a ResNet-18 whose every block weighs its channels before the residual is added."""

from typing import Any

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from openfer.nn.channel_attention import EfficientChannelAttention
from openfer.nn.choices import Kernel
from openfer.nn.resnet import ResNet18Trunk


class ECABasicBlock(BasicBlock):
    """A basic block with channel attention between its second normalisation and the residual sum.

    Args:
        *shape: a basic block's own; the attention, which they do not describe, is set by the trunk.
        **options: a basic block's own.
    """

    def __init__(self, *shape: Any, **options: Any) -> None:
        super().__init__(*shape, **options)
        self.eca: nn.Module = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's maps."""
        residual = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.eca(self.bn2(self.conv2(out)))
        return self.relu(out + residual)


class ECAResNet18Trunk(ResNet18Trunk):
    """ResNet-18's trunk with channel attention (11,176,536 parameters with kernel 3, 11,176,548 adaptive).

    The keys of its state are torchvision's and one more in each block, ``layer1.0.eca.conv.weight``: plain ResNet-18
    weights fill 100 of its 108 tensors and leave the attention as initialised.

    Args:
        kernel: length of the attention's convolutions. The authors' own ResNet-18 of ECA has 3 everywhere; their
            paper's rule is ``adaptive``.
        small_images: see :class:`ResNet18Trunk`.
    """

    def __init__(self, kernel: Kernel = 3, *, small_images: bool = False) -> None:
        super().__init__(ECABasicBlock, small_images=small_images)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            for block in stage:
                block.eca = EfficientChannelAttention(block.bn2.num_features, kernel)
