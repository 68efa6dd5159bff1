"""Networks of one block a stage: tests whose statement is about code need no second block that does the same."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torchvision
from torchvision.models.resnet import BasicBlock, ResNet

from openfer.nn import manet_network, resnet

_LOCAL_BLOCKS = ((128, 128, 1), (128, 512, 2))
_GLOBAL_BLOCKS = ((128, 128, 1), (128, 128, 2), (128, 512, 2))
"""With and without a shortcut; maps are of the papers' sizes, features of their lengths."""


@contextmanager
def shallow_networks() -> Iterator[None]:
    """Build ResNet-18 with four blocks in place of eight, and MA-Net with 15 million parameters in place of 50."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resnet, "ResNet", lambda block, _: _one_block_a_stage(block))
        patch.setattr(torchvision.models, "resnet18", lambda weights: _one_block_a_stage(BasicBlock))
        patch.setattr(manet_network, "_LOCAL_BLOCKS", _LOCAL_BLOCKS)
        patch.setattr(manet_network, "_GLOBAL_BLOCKS", _GLOBAL_BLOCKS)
        yield


def _one_block_a_stage(block: type[BasicBlock]) -> ResNet:
    return ResNet(block, [1, 1, 1, 1])
