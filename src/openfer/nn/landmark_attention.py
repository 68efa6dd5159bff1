"""OADN's landmark-guided attention: a feature for each interest point, and the strongest of each channel."""

import torch
from torch import Tensor


def attended_features(features: Tensor, maps: Tensor) -> Tensor:
    """Return the average of ``F * A_i`` over all cells, for each map (OADN, Sec. 3.1).

    Written as a product of matrices: the B x M x C x h x w products, 1.2 GB in a batch of 32, are never made. The
    mean is over all cells and not only over those that a map covers.

    Args:
        features: F, (B, C, h, w).
        maps: A_i, (B, M, h, w).

    Returns:
        f_i^A, (B, M, C).
    """
    cells = features.shape[-2] * features.shape[-1]
    return torch.einsum("bchw,bmhw->bmc", features, maps) / cells


def strongest(attended: Tensor) -> Tensor:
    """Return f^A: the maximum of each channel over the points, (B, M, C) to (B, C).

    F is not negative, so the zeros of a dropped point win over a kept one nowhere; with all points dropped f^A is
    zero.
    """
    return attended.amax(dim=1)
