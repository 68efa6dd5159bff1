"""S_e: attention and the expression classifier, shared by Baseline_at, Baseline_mat and ADDL."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from openfer.nn.heads import ExpressionHead
from openfer.nn.mask_attention import MaskAttention, attentive_channels
from openfer.nn.pooling import average_cells, concatenate_levels, have_papers_size
from openfer.nn.resnet import TAP_CHANNELS

_CELLS = 2


class Expression(NamedTuple):
    """What S_e sees in a batch.

    Attributes:
        logits: (B, K).
        feature: f^e, (B, 128).
        attentive: of ResNet-18 a_out, (B, 1472, h, w), or a_5 alone, (B, 512, h, w); 7 x 7 at 224 pixels.
    """

    logits: Tensor
    feature: Tensor
    attentive: Tensor


class ExpressionSubnetwork(nn.Module):
    """Five attention blocks, multi-level concatenation and two FCs (5,060,955 parameters at K = 7).

    With a single level a_5 takes the place of the concatenation and nothing else changes (4,569,435).

    Args:
        classes: K.
        dropout: probability before each FC.
        taps: channels of the shared trunk's taps.
        multi_level: whether the maps of all levels are classified, or those of the last alone (ADDL, Table 2).
    """

    def __init__(
        self, classes: int, dropout: float, taps: Sequence[int] = TAP_CHANNELS, *, multi_level: bool = True
    ) -> None:
        super().__init__()
        self.attention = MaskAttention(taps)
        self._multi_level = multi_level
        attentive = attentive_channels(taps)
        channels = sum(attentive) if multi_level else attentive[-1]
        self.head = ExpressionHead(channels * _CELLS**2, classes, dropout)

    def forward(self, taps: Sequence[Tensor]) -> Expression:
        """Classify the taps u_1..u_5 of the shared trunk."""
        maps = [output.attentive for output in self.attention(taps)]
        attentive = concatenate_levels(maps) if self._multi_level else maps[-1]
        feature, logits = self.head(average_cells(attentive, _CELLS, literal=have_papers_size(maps)))
        return Expression(logits, feature, attentive)
