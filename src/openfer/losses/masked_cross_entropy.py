"""Cross-entropy of a task that not every sample is labelled for."""

import torch.nn.functional as F
from torch import Tensor

from openfer.losses.precision import widen


def masked_cross_entropy(logits: Tensor, labels: Tensor, missing: int = -1) -> Tensor:
    """Mean cross-entropy over the labelled samples; exactly zero when there is none.

    ADDL, Eq. 1 sums it over the disturbing factors, and Eq. 5 is it for the expression.
    PyTorch's own mean is NaN for a batch without labels, which one factor's dataset missing from
    a batch is enough to cause; here loss and gradient are zero.

    Args:
        logits: (B, K).
        labels: int64 class indices, (B,).
        missing: the label of a sample that does not count.

    Returns:
        Scalar >= 0.
    """
    summed = F.cross_entropy(widen(logits), labels, ignore_index=missing, reduction="sum")
    return summed / (labels != missing).sum().clamp_min(1)
