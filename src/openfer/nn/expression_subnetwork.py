"""S_e: multi-level attention and the expression classifier, shared by Baseline_mat and ADDL."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from openfer.nn.heads import ExpressionHead
from openfer.nn.mask_attention import ATTENTIVE_CHANNELS, MaskAttention
from openfer.nn.pooling import average_cells, concatenate_levels, have_papers_size

_CELLS = 2


class Expression(NamedTuple):
    """What S_e sees in a batch.

    Attributes:
        logits: (B, K).
        feature: f^e, (B, 128).
        attentive: a_out, (B, 1472, h, w), 7 x 7 at 224 pixels.
    """

    logits: Tensor
    feature: Tensor
    attentive: Tensor


class ExpressionSubnetwork(nn.Module):
    """Five attention blocks, multi-level concatenation and two FCs (5,060,955 parameters at K = 7).

    Args:
        classes: K.
        dropout: probability before each FC.
    """

    def __init__(self, classes: int, dropout: float) -> None:
        super().__init__()
        self.attention = MaskAttention()
        self.head = ExpressionHead(sum(ATTENTIVE_CHANNELS) * _CELLS**2, classes, dropout)

    def forward(self, taps: Sequence[Tensor]) -> Expression:
        """Classify the taps u_1..u_5 of the shared trunk."""
        maps = self.attention(taps)
        attentive = concatenate_levels(maps)
        feature, logits = self.head(average_cells(attentive, _CELLS, literal=have_papers_size(maps)))
        return Expression(logits, feature, attentive)
