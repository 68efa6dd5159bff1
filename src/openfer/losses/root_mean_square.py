"""Root mean square error of values that not every sample is rated for."""

import torch
from torch import Tensor

from openfer.losses.rated import rated


def root_mean_square_loss(predicted: Tensor, true: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the mean over the dimensions of ``sqrt(mean_i (x_i - y_i)^2)`` (ADDL, Sec. 4.6).

    A dimension without a rated sample adds nothing. :func:`openfer.losses.rated.rated` says how weights are used.

    Args:
        predicted: such as valence and arousal, (B, D).
        true: the same, NaN where nobody rated the sample, (B, D).
        weights: weight of each sample, (B,); None for 1 each.

    Returns:
        Scalar >= 0. Where it is zero, its gradient is set to zero, because the gradient of a root has no limit there.
    """
    found = rated(predicted, true, weights)
    # a norm, for the derivative of a root is infinite at 0
    errors = torch.linalg.vector_norm(found.parts.sqrt() * (found.predicted - found.true), dim=0)
    return (found.share * errors).mean()


def root_mean_square(predicted: Tensor, true: Tensor) -> Tensor:
    """Return the root mean square error of each dimension.

    Args:
        predicted: (N, D).
        true: NaN where nobody rated the sample, (N, D).

    Returns:
        (D,); 0 for a dimension without any rating.
    """
    found = rated(predicted, true)
    return found.mean((found.predicted - found.true).square()).sqrt()
