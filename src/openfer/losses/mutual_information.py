"""Mutual information of two features, estimated by a network."""

import math
from collections.abc import Callable

from torch import Tensor

from openfer.losses.precision import widen


def mutual_information_bound(
    estimator: Callable[[Tensor, Tensor], Tensor], first: Tensor, second: Tensor, permutation: Tensor
) -> Tensor:
    """Donsker-Varadhan lower bound of the mutual information of two features.

    ``mean_i T(x_i, y_i) - log mean_i exp T(x_i, y_pi(i))`` (ADDL, Eq. 13; MINE, Belghazi et al.
    2018): pairs of the same sample against pairs whose partners are shuffled. T's player
    maximises it, the network minimises it.

    Args:
        estimator: the network T; maps (B, D_1) and (B, D_2) to (B, 1).
        first: features x, such as f^d, (B, D_1).
        second: features y, such as f^e, (B, D_2).
        permutation: pi, an int64 permutation of the batch, (B,).

    Returns:
        Scalar in nats; zero for a constant T, and never more than the mutual information in
        expectation.
    """
    joint = widen(estimator(first, second))
    independent = widen(estimator(first, second[permutation]))
    log_mean_exp = independent.flatten().logsumexp(0) - math.log(independent.numel())  # exp alone overflows
    return joint.mean() - log_mean_exp
