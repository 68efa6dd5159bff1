"""What the heat maps learn: their shape is the point's place, their height its visibility."""

import torch
from torch import Tensor
from torch.nn import functional as F


def landmark_loss(
    logits: Tensor, points: Tensor, visible: Tensor, sigma: float, hidden_weight: float
) -> dict[str, Tensor]:
    r"""Return the losses of place and visibility.

    Place: cross-entropy between a map's softmax and a Gaussian of deviation ``sigma`` around the point, which
    forms the map; and the distance of the softmax's mean from the point, which keeps pulling when the
    first is nearly flat. Neither changes when a constant is added to a map, so the highest logit is free
    to be the logit of "the camera sees this point", which the last loss makes it.

    Args:
        logits: (N, 68, H, W).
        points: (column, row) in cells, cell centres at whole numbers plus one half, (N, 68, 2).
        visible: 1 or 0, (N, 68).
        sigma: deviation of the Gaussian, cells.
        hidden_weight: what the place of a hidden point counts; a point outside the map counts nothing.

    Returns:
        ``place``, ``distance`` (cells, along both axes), ``visibility`` and their sum ``total``, scalars.
    """
    height, width = logits.shape[-2:]
    across = _gaussian(points[..., 0], width, sigma)
    down = _gaussian(points[..., 1], height, sigma)
    wanted = torch.einsum("nkhw,nkh,nkw->nk", logits, down, across)
    entropy = logits.flatten(-2).logsumexp(-1) - wanted
    mass = logits.flatten(-2).softmax(-1).view_as(logits)
    columns, rows = torch.arange(width) + 0.5, torch.arange(height) + 0.5
    mean = torch.stack([mass.sum(-2) @ columns, mass.sum(-1) @ rows], -1)
    inside = (points >= 0).all(-1) & (points[..., 0] < width) & (points[..., 1] < height)
    weight = inside * (visible + hidden_weight * (1 - visible))
    weight = weight / weight.sum().clamp(min=1)
    place = (weight * entropy).sum()
    distance = (weight * (mean - points).abs().sum(-1)).sum()
    visibility = F.binary_cross_entropy_with_logits(logits.amax((-2, -1)), visible)
    return {"place": place, "distance": distance, "visibility": visibility, "total": place + distance + visibility}


def _gaussian(centre: Tensor, cells: int, sigma: float) -> Tensor:
    """Return Gaussians over cells, each with sum 1: (N, K) -> (N, K, cells)."""
    places = torch.arange(cells) + 0.5
    return torch.softmax(-((places - centre[..., None]) ** 2) / (2 * sigma**2), -1)
