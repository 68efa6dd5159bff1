"""Values that not every sample is rated for, and weights of samples in losses that are no sum over them."""

from typing import NamedTuple

import torch
from torch import Tensor

from openfer.losses.precision import widen


class Rated(NamedTuple):
    """What of a batch counts, without any NaN.

    Attributes:
        predicted: (B, D), 0 where the sample is not rated.
        true: likewise.
        parts: what each sample counts of a dimension, >= 0, (B, D); a dimension's sum is 1, or 0 if nothing counts.
        share: mean weight of the rated samples, (D,); 1 without weights, 0 if nothing counts.
    """

    predicted: Tensor
    true: Tensor
    parts: Tensor
    share: Tensor

    def mean(self, values: Tensor) -> Tensor:
        """Return the weighted mean over the samples that count, (D,)."""
        return (self.parts * values).sum(0)


def rated(predicted: Tensor, true: Tensor, weights: Tensor | None = None) -> Rated:
    """Return the rated values with normalised weights.

    A loss that is a mean over samples is, with weights w, ``mean(w) * (sum_i w_i l_i / sum_i w_i)``. A correlation or
    a root is not a mean, so it uses the same two factors: computed with the normalised weights, then times ``share``. A
    sample of weight 0 then has no influence, and makes the loss smaller.

    Args:
        predicted: (B, D).
        true: NaN where nobody rated the sample, (B, D).
        weights: weight of each sample, >= 0, (B,); None for 1 each.
    """
    predicted, true = widen(predicted), widen(true)
    known = ~true.isnan()
    of_samples = known.to(predicted) if weights is None else known * weights.to(predicted)[:, None]
    summed = of_samples.sum(0)
    parts = of_samples / summed.masked_fill(summed == 0, 1)
    share = summed / known.sum(0).clamp_min(1)
    zero = torch.zeros((), dtype=predicted.dtype, device=predicted.device)
    true = torch.where(known, true.to(predicted), zero)
    return Rated(torch.where(known, predicted, zero), true, parts, share)
