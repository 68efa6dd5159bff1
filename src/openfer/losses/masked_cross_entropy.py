"""Cross-entropy of a task that not every sample is labelled for."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from openfer.labels import MISSING
from openfer.losses.precision import widen


def masked_cross_entropy(
    logits: Tensor, labels: Tensor, weights: Tensor | None = None, over: Literal["labelled", "batch"] = "labelled"
) -> Tensor:
    """Mean cross-entropy over the labelled samples; exactly zero when there is none.

    ADDL, Eq. 1 sums it over the disturbing factors, and Eq. 5 is it for the expression.
    PyTorch's own mean is NaN for a batch without labels, which one factor's dataset missing from
    a batch is enough to cause; here loss and gradient are zero.

    Args:
        logits: (B, K).
        labels: int64 class indices, (B,), of which :data:`openfer.labels.MISSING` does not count; or probabilities of
            the classes, float, (B, K), of which a row of zeros does not count.
        weights: what each sample counts, (B,); None for 1 each. They do not change what the sum is divided by.
        over: what the sum is divided by: the number of ``labelled`` samples, or of all samples of the ``batch``, with
            which a sample counts the same whatever the others are labelled for.

    Returns:
        Scalar >= 0.
    """
    if weights is None:
        summed = F.cross_entropy(widen(logits), labels, ignore_index=MISSING, reduction="sum")
    else:
        summed = (F.cross_entropy(widen(logits), labels, ignore_index=MISSING, reduction="none") * weights).sum()
    labelled = labels.any(-1) if labels.is_floating_point() else labels != MISSING
    return summed / (labelled.sum().clamp_min(1) if over == "labelled" else len(labels))
