"""Balance: on average no latent feature weighs more than another."""

from torch import Tensor

from openfer.losses.precision import widen


def balance_loss(weights: Tensor) -> Tensor:
    """Distance of the batch's mean importance weights to the uniform distribution.

    ``L_B = || 1/N sum_i w_i - [1/M .. 1/M] ||_1`` of FDRL, which FDRL-ECANet drops.

    Args:
        weights: w_i, (B, M).

    Returns:
        Scalar >= 0.
    """
    return (widen(weights).mean(0) - 1 / weights.shape[1]).abs().sum()
