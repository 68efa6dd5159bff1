"""OADN's landmark-guided attention: a feature for each interest point, and the strongest of each channel."""

import torch
from torch import Tensor

from openfer.nn.choices import AttentionPooling

_LEAST_WEIGHT = 1e-6
"""Sum of a map's weights, below which its point lies far outside of the image and has nothing to say."""


def attended_features(features: Tensor, maps: Tensor, pooling: AttentionPooling = "cells") -> Tensor:
    """Return the average of ``F * A_i`` over the cells, for each map (OADN, Sec. 3.1).

    Written as a product of matrices: the B x M x C x h x w products, 1.2 GB in a batch of 32, are never made.

    Args:
        features: F, (B, C, h, w).
        maps: A_i, (B, M, h, w).
        pooling: ``cells`` divides by the number of cells, as global average pooling does; ``weights`` divides by
            the sum of the map's weights.

    Returns:
        f_i^A, (B, M, C); zero for a map of zeros.
    """
    summed = torch.einsum("bchw,bmhw->bmc", features, maps)
    if pooling == "cells":
        return summed / (features.shape[-2] * features.shape[-1])
    return summed / maps.sum((2, 3)).clamp_min(_LEAST_WEIGHT)[..., None]


def strongest(attended: Tensor, kept: Tensor) -> Tensor:
    """Return f^A: the maximum of each channel over the kept points; zero where none is kept.

    The paper takes the maximum over all points, of which the dropped ones are zero. That is the same for maps F that
    are not negative, as ResNet's; of dlib's normalised maps the zeros would win over the negative values.

    Args:
        attended: f_i^A, (B, M, C).
        kept: which points are kept, (B, M), bool.

    Returns:
        (B, C).
    """
    largest = attended.masked_fill(~kept[..., None], -torch.inf).amax(dim=1)
    return largest.masked_fill(~kept.any(1, keepdim=True), 0.0)
