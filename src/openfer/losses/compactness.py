"""Compactness loss: pulls every latent feature towards the centre of its branch."""

from torch import Tensor

from openfer.losses.precision import widen


def compactness_loss(latent: Tensor, centres: Tensor) -> Tensor:
    """Sum over branches of the squared distance to the branch's centre, averaged over the batch.

    ``L_C = 1/N sum_i sum_j || l_ij - c_j ||^2`` (FDRL-ECANet, Sec. 3.4).

    Args:
        latent: l_ij, (B, M, D).
        centres: c_j, (M, D); they learn too where they are parameters.

    Returns:
        Scalar >= 0.
    """
    return (widen(latent) - widen(centres)).square().sum((1, 2)).mean()
