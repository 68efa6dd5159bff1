"""Rank regularisation: faces of high importance are to stand above the others by a margin (SCN)."""

import torch
from torch import Tensor

from openfer.losses.precision import widen


def high_group(importance: Tensor, share: float) -> Tensor:
    """Tell which samples of a batch are of high importance.

    Args:
        importance: alpha, (B,), B at least 2.
        share: beta, of the batch in the high group, in (0, 1). Either group has one sample at least.

    Returns:
        Bool, (B,). Of equal weights the earlier one ranks higher.
    """
    count = min(max(round(share * len(importance)), 1), len(importance) - 1)
    ranked = importance.detach().argsort(descending=True, stable=True)
    high = torch.zeros(len(importance), dtype=torch.bool, device=importance.device)
    high[ranked[:count]] = True
    return high


def rank_regularisation_loss(importance: Tensor, high: Tensor, margin: float) -> Tensor:
    """Return how much the mean importance of the high group falls short of standing above the low one's.

    ``L_RR = max(0, delta_1 - (alpha_H - alpha_L))`` with the means alpha_H and alpha_L of the two groups (Wang et al.,
    CVPR 2020, Sec. 3.3). It reads no label.

    Args:
        importance: alpha, (B,), in (0, 1).
        high: which samples are of the high group, bool, (B,); both groups have some.
        margin: delta_1.

    Returns:
        Scalar in [0, 1 + margin].
    """
    weights = widen(importance)
    return (margin - (_mean(weights, high) - _mean(weights, ~high))).clamp_min(0)


def _mean(weights: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of the chosen ones; ``weights[chosen]`` would make a GPU tell the host how many there are."""
    return (weights * chosen).sum() / chosen.sum()
