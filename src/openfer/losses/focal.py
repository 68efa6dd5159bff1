"""Focal loss: samples that are classified with confidence count less."""

import torch.nn.functional as F
from torch import Tensor

from openfer.labels import MISSING
from openfer.losses.precision import widen


def focal_loss(logits: Tensor, labels: Tensor, gamma: float, weights: Tensor | None = None) -> Tensor:
    """Return the mean of ``-(1 - p_y)^gamma log p_y`` over the labelled samples (Lin et al., ICCV 2017); 0 without one.

    Args:
        logits: (B, K).
        labels: int64 class indices, (B,); a sample with :data:`openfer.labels.MISSING` does not count.
        gamma: 0 is the cross-entropy. SNA does not state its own; 2 is the usual one.
        weights: weight of each sample, (B,); None for 1 each. The sum is divided by the number of labelled samples.

    Returns:
        Scalar >= 0.
    """
    labelled = labels != MISSING
    losses = F.cross_entropy(widen(logits), labels, ignore_index=MISSING, reduction="none")
    if gamma:
        # -expm1 keeps 1 - p exact for a sure sample, whose loss is near zero
        losses = (-(-losses).expm1()).clamp_min(0) ** gamma * losses
    if weights is not None:
        losses = losses * weights
    return losses.sum() / labelled.sum().clamp_min(1)
