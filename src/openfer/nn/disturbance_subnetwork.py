"""S_d: the disturbance subnetwork of ADDL with the importance of every disturbing factor."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from openfer.nn.heads import FEATURE_SIZE
from openfer.nn.mask_attention import AttentionOutput, MaskAttention, attentive_channels
from openfer.nn.pooling import average_cells, have_papers_size
from openfer.nn.prelu import PReLU
from openfer.nn.resnet import TAP_CHANNELS


class Disturbance(NamedTuple):
    """What S_d sees in a batch.

    Attributes:
        feature: f^d, (B, 128).
        importance: alpha in (0, 1), (B, factors); 1 / factors each where it is not learned.
        blocks: outputs of the attention blocks, whose maps attention transfer compares with DFEM's.
    """

    feature: Tensor
    importance: Tensor
    blocks: list[AttentionOutput]


class DisturbanceSubnetwork(nn.Module):
    """Five attention blocks, one FC = f^d and the SA layer (4,372,697 parameters for 6 factors).

    SA is FC - Sigmoid: every factor has its own importance, and they need not add up to one. Both
    layers compute in single precision also under autocast, for what ADDL's opponents read is f^d
    and, weighted by alpha, f^m.

    Args:
        factors: number M of disturbing factors.
        dropout: probability before the first FC.
        taps: channels of the shared trunk's taps.
        learns_importance: whether there is an SA layer; without one every factor's importance is 1/M, and f^m is
            their mean.
    """

    def __init__(
        self, factors: int, dropout: float, taps: Sequence[int] = TAP_CHANNELS, *, learns_importance: bool = True
    ) -> None:
        super().__init__()
        self._factors = factors
        self.attention = MaskAttention(taps)
        inputs = attentive_channels(taps)[-1]
        self.feature = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, FEATURE_SIZE), PReLU())
        self.importance = nn.Sequential(nn.Linear(FEATURE_SIZE, factors), nn.Sigmoid()) if learns_importance else None

    def forward(self, taps: Sequence[Tensor]) -> Disturbance:
        """Return f^d, the importance weights and the attention blocks' outputs for the taps u_1..u_5."""
        blocks = self.attention(taps)
        maps = [block.attentive for block in blocks]
        pooled = average_cells(maps[-1], 1, literal=have_papers_size(maps))
        with torch.autocast(pooled.device.type, enabled=False):
            feature = self.feature(pooled.float())
            if self.importance is not None:
                return Disturbance(feature, self.importance(feature), blocks)
            equal = feature.new_full((len(feature), self._factors), 1 / max(1, self._factors))
            return Disturbance(feature, equal, blocks)
