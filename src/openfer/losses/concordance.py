"""Concordance: predicted and rated values lie on the diagonal, not just on some line."""

import torch
from torch import Tensor

from openfer.losses.rated import Rated, rated

_ROUNDING = 16.0
"""Squared units in the last place of the means, below which nothing is apart."""


def concordance_loss(predicted: Tensor, true: Tensor, weights: Tensor | None = None) -> Tensor:
    """One minus Lin's concordance correlation coefficient, mean over the dimensions (ADDL, Sec. 4.6).

    A dimension that no sample is rated in costs nothing. See :func:`openfer.losses.rated.rated` for what weights do.

    Args:
        predicted: such as valence and arousal, (B, D).
        true: the same, NaN where nobody rated the sample, (B, D).
        weights: what each sample counts, (B,); None for 1 each.

    Returns:
        Scalar in [0, 2]; its gradient is finite for any batch, and zero where at most one sample is rated.
    """
    found = rated(predicted, true, weights)
    return (found.share * (1 - _coefficient(found))).mean()


def concordance(predicted: Tensor, true: Tensor) -> Tensor:
    """Return the coefficient of each dimension: ``2 cov / (s_x^2 + s_y^2 + (m_x - m_y)^2)``.

    Variances and covariance are those of the given samples, divided by n (Lin, Biometrics 1989).

    Args:
        predicted: (N, D).
        true: NaN where nobody rated the sample, (N, D).

    Returns:
        In [-1, 1], (D,); 0 where both are constant and equal, and for a dimension without any rating.
    """
    return _coefficient(rated(predicted, true))


def _coefficient(found: Rated) -> Tensor:
    mean_x, mean_y = found.mean(found.predicted), found.mean(found.true)
    x, y = found.predicted - mean_x, found.true - mean_y
    apart = found.mean(x.square()) + found.mean(y.square()) + (mean_x - mean_y).square()
    # equal constants are apart by rounding alone, and have no covariance
    rounding = _ROUNDING * torch.finfo(apart.dtype).eps ** 2 * (mean_x.square() + mean_y.square())
    none = apart <= rounding
    return (2 * found.mean(x * y) / apart.masked_fill(none, 1)).masked_fill(none, 0)
