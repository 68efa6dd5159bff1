"""Cross-entropy of several face regions, each with its own classifier."""

from typing import Literal

from torch import Tensor

from openfer.losses.masked_cross_entropy import masked_cross_entropy


def region_cross_entropy(
    logits: Tensor, labels: Tensor, reduction: Literal["sum", "mean"] = "sum", weights: Tensor | None = None
) -> Tensor:
    """Cross-entropies of K regions added up: ``L_FRB = sum_k CE(region k)`` (OADN, Eq. 4).

    The paper adds; so K regions weigh K times what the attention branch weighs. ``mean`` takes that out.

    Args:
        logits: (B, K, C).
        labels: as :func:`~openfer.losses.masked_cross_entropy.masked_cross_entropy` takes them.
        reduction: over the regions.
        weights: what each sample counts, (B,); None for 1 each.

    Returns:
        Scalar >= 0; each region's term is the mean over the labelled samples.
    """
    regions = logits.shape[1]
    own = None if weights is None else weights.repeat_interleave(regions)
    mean = masked_cross_entropy(logits.flatten(0, 1), labels.repeat_interleave(regions, dim=0), own)
    return mean * regions if reduction == "sum" else mean
