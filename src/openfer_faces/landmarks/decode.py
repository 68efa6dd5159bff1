"""From heat maps to points: the peak's cell, and the mean of the mass around it for what lies between cells."""

import torch
from torch import Tensor

_REACH = 3
"""Cells on each side of the peak that are averaged: two and a half deviations of the target's Gaussian."""


def decode(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return where each map has its peak, and how high it is.

    Args:
        logits: (N, K, H, W); of a softmax over a map's cells.

    Returns:
        Points as (column, row) in cells, cell centres at whole numbers plus one half, (N, K, 2); the
        maps' highest logits, (N, K).
    """
    count, points, height, width = logits.shape
    flat = logits.reshape(count, points, -1)
    peak, place = flat.max(-1)
    row, column = place // width, place % width
    rows = torch.arange(height, device=logits.device) - row[..., None]
    columns = torch.arange(width, device=logits.device) - column[..., None]
    near = (rows.abs() <= _REACH)[..., :, None] & (columns.abs() <= _REACH)[..., None, :]
    mass = torch.where(near, (logits - peak[..., None, None]).exp(), logits.new_zeros(()))
    total = mass.sum((-2, -1))
    across = (mass.sum(-2) * columns).sum(-1) / total
    down = (mass.sum(-1) * rows).sum(-1) / total
    return torch.stack([column + across, row + down], -1) + 0.5, peak
