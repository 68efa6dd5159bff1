"""ADDL's attention: a chain of blocks that mask the taps of a shared trunk."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.nn.prelu import PReLU


def attentive_channels(taps: Sequence[int]) -> tuple[int, ...]:
    """Return the channels of a_1..a_5, each map's those of the tap that it meets next: of ResNet-18 64 to 512, 512."""
    return (*taps[1:], taps[-1])


class AttentionOutput(NamedTuple):
    """What one attention block gives.

    Attributes:
        attentive: a_j, of the shape of the tap that it meets next.
        mask: m_j in (0, 1), of the shape of u_j.
        seen: what the mask is made from: ``delta1_j u_j + delta2_j a_{j-1}``, u_1 in the first block.
    """

    attentive: Tensor
    mask: Tensor
    seen: Tensor


class MaskAttentionBlock(nn.Module):
    """One attention block (ADDL, Eq. 10 and 11).

    ``m_1 = g(u_1)``, ``m_j = g(delta1_j u_j + delta2_j a_{j-1})``, ``a_j = h(m_j * u_j)`` with

    - g: BN - PReLU - Conv 1x1 - BN - Sigmoid, a mask of the size of u_j;
    - h: Conv 3x3 - BN - PReLU, then max-pooling where the next tap is half as wide. The
      convolution comes before the pooling: only so do the multiply-accumulates reach the
      published figures.

    The paper calls the two deltas learnable and says no more; they are the softmax of two free
    scalars, 0.269 on the tap and 0.731 on the previous map at the start (the public DDL code). Under
    autocast they are rounded to the precision of the maps as every other weight of the block is; the
    scalars themselves, which learn, stay in single precision.

    Args:
        channels: of the tap u_j.
        attentive_channels: of the attentive map a_j.
        first: whether there is no previous map.
        halve: whether the attentive map is pooled to half the width.
    """

    def __init__(self, channels: int, attentive_channels: int, *, first: bool, halve: bool) -> None:
        super().__init__()
        self.mask = nn.Sequential(
            nn.BatchNorm2d(channels),
            PReLU(),
            nn.Conv2d(channels, channels, 1),
            nn.BatchNorm2d(channels),
            nn.Sigmoid(),
        )
        self.transform = nn.Sequential(
            nn.Conv2d(channels, attentive_channels, 3, padding=1),
            nn.BatchNorm2d(attentive_channels),
            PReLU(),
            nn.MaxPool2d(3, stride=2, padding=1) if halve else nn.Identity(),
        )
        self.mixing = None if first else nn.Parameter(torch.tensor([0.0, 1.0]))

    def forward(self, tap: Tensor, previous: Tensor | None = None) -> AttentionOutput:
        """Return the outputs for u_j (B, C, H, W) and, in all but the first block, a_{j-1} of the same shape."""
        seen = tap
        if self.mixing is not None and previous is not None:
            delta_previous = self.mixing.softmax(0)[1].to(tap.dtype)
            seen = torch.lerp(tap, previous, delta_previous)  # delta1 = 1 - delta2: one pass over the maps, not three
        mask = self.mask(seen)
        return AttentionOutput(self.transform(mask * tap), mask, seen)


class MaskAttention(nn.Module):
    """The five attention blocks of one subnetwork.

    Args:
        channels: of the taps u_1..u_5.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            MaskAttentionBlock(tap, attentive, first=level == 1, halve=level in (2, 3, 4))
            for level, (tap, attentive) in enumerate(zip(channels, attentive_channels(channels), strict=True), start=1)
        )

    def forward(self, taps: Sequence[Tensor]) -> list[AttentionOutput]:
        """Return the outputs of the blocks for the taps u_1..u_5.

        At 224 pixels the attentive maps are 56, 28, 14, 7 and 7 wide: one block ahead of the taps, so that each
        has the shape of the tap that it meets next. A trunk that halves odd maps otherwise than by rounding up gets
        them max-pooled to the size of that tap.
        """
        outputs: list[AttentionOutput] = []
        for number, (block, tap) in enumerate(zip(self.blocks, taps, strict=True)):
            output: AttentionOutput = block(tap, outputs[-1].attentive if outputs else None)
            size = taps[min(number + 1, len(taps) - 1)].shape[-2:]
            if output.attentive.shape[-2:] != size:
                output = output._replace(attentive=F.adaptive_max_pool2d(output.attentive, size))
            outputs.append(output)
        return outputs
