"""ADDL's attention: a chain of blocks that mask the taps of a shared trunk."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from openfer.nn.prelu import PReLU
from openfer.nn.resnet import TAP_CHANNELS

ATTENTIVE_CHANNELS = (64, 128, 256, 512, 512)
"""Channels of the attentive maps a_1..a_5."""


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

    def forward(self, tap: Tensor, previous: Tensor | None = None) -> Tensor:
        """Return a_j from u_j (B, C, H, W) and, for all but the first block, a_{j-1} of the same shape."""
        seen = tap
        if self.mixing is not None and previous is not None:
            delta_previous = self.mixing.softmax(0)[1].to(tap.dtype)
            seen = torch.lerp(tap, previous, delta_previous)  # delta1 = 1 - delta2: one pass over the maps, not three
        attentive: Tensor = self.transform(self.mask(seen) * tap)
        return attentive


class MaskAttention(nn.Module):
    """The five attention blocks of one subnetwork."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            MaskAttentionBlock(channels, attentive, first=level == 1, halve=level in (2, 3, 4))
            for level, (channels, attentive) in enumerate(zip(TAP_CHANNELS, ATTENTIVE_CHANNELS, strict=True), start=1)
        )

    def forward(self, taps: Sequence[Tensor]) -> list[Tensor]:
        """Return the attentive maps a_1..a_5 of the taps u_1..u_5.

        At 224 pixels they are 56, 28, 14, 7 and 7 wide: one block ahead of the taps, so that each
        has the shape of the tap that it meets next.
        """
        maps: list[Tensor] = []
        for block, tap in zip(self.blocks, taps, strict=True):
            maps.append(block(tap, maps[-1] if maps else None))
        return maps
