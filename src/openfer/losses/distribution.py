"""Distribution loss: pulls samples of one class towards the same weights of latent features."""

from torch import Tensor

from openfer.labels import MISSING
from openfer.losses.precision import widen


def distribution_loss(weights: Tensor, centres: Tensor, labels: Tensor) -> Tensor:
    """Return the mean squared distance of labelled samples' importance weights to the centre of their class.

    ``L_D = 1/N sum_i || w_i - w_{k_i} ||^2`` with ``w_i = [alpha_i1 .. alpha_iM]`` (FDRL-ECANet, Sec. 3.4).

    Args:
        weights: w_i, (B, M).
        centres: w_k, (K, M); they learn too where they are parameters.
        labels: int64 class indices k_i, (B,); a sample with :data:`openfer.labels.MISSING` does not count.

    Returns:
        Scalar >= 0; exactly zero when no sample is labelled.
    """
    labelled = labels != MISSING
    distances = (widen(weights) - widen(centres)[labels.clamp_min(0)]).square().sum(1)
    return (distances * labelled).sum() / labelled.sum().clamp_min(1)
