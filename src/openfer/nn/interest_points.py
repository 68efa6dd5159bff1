"""OADN's 24 interest points: read off the 68 landmarks, kept by their score, drawn as Gaussian maps.

The recipe is that of PG-CNN's public code (``pts68_24``), which OADN follows: 16 of the 68 points are copied
and 8 recomputed. OADN's Sec. 3.1 says "16 points and 8 recomputed", its Sec. 4.2 "18 points"; its figure and all
its shapes have 24. PG-CNN lifts four of the copied brow points by 2 to 10 pixels; OADN says copied, and so they are.
Numbers below are the 68 points' usual ones, from 1.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

COPIED = (19, 22, 23, 26, 39, 37, 44, 46, 28, 30, 49, 51, 53, 55, 59, 57)
"""Brows, eyes, nose and mouth."""

MIDPOINTS = ((20, 38), (25, 45), (41, 42), (47, 48), (18, 59), (27, 57))
"""Between brow and eye, under each eye, and on each cheek."""

CHEEKS = ((49, -1), (55, 1))
"""Mouth corner, and to which side of it the cheek point lies."""

CHEEK_OFFSET = 16 / 256
"""Of the image's side, across and up from the mouth corner; 16 pixels of an aligned face of 256 in PG-CNN's code.

A crop that cuts the face's margin off makes it that much shorter in the face: a ninth at 64 of 72 pixels.
"""

PARTS = {
    "brows": (0, 1, 2, 3),
    "eyes": (4, 5, 6, 7, 16, 17, 18, 19),
    "nose": (8, 9),
    "mouth": (10, 11, 12, 13, 14, 15),
    "cheeks": (20, 21, 22, 23),
}
"""Which of the 24 points belong to which part of the face."""


def interest_points(landmarks: Tensor, side: int) -> Tensor:
    """Return the 24 interest points of faces; a recomputed one is as sure as the least sure of its sources.

    Args:
        landmarks: x, y and score of the 68 points, pixels of the image, (B, 68, 3).
        side: of the square image, pixels.

    Returns:
        x, y and score, (B, 24, 3).
    """
    copied = _chosen(landmarks, COPIED)
    one, other = (_chosen(landmarks, [pair[end] for pair in MIDPOINTS]) for end in (0, 1))
    places = (one[..., :2] + other[..., :2]) / 2
    middles = torch.cat([places, torch.minimum(one, other)[..., 2:]], dim=-1)
    offset = CHEEK_OFFSET * side
    corners = [(_chosen(landmarks, [number]), sign) for number, sign in CHEEKS]
    cheeks = [torch.cat([p[..., :1] + sign * offset, p[..., 1:2] - offset, p[..., 2:]], -1) for p, sign in corners]
    return torch.cat([copied, middles, *cheeks], dim=1)


def _chosen(landmarks: Tensor, numbers: Sequence[int]) -> Tensor:
    """Return the points with some numbers; a list as an index would be copied to the GPU, which then waits."""
    return torch.cat([landmarks[:, number - 1 : number] for number in numbers], dim=1)


def kept_points(scores: Tensor, threshold: float) -> Tensor:
    """Return which points are kept, bool, in the scores' shape.

    A point is kept if its score is at least T. So T = 0 keeps all; T = 1 keeps none, also where a score is
    exactly 1, as that of a rendered point is: no landmarker can be surer than sure.

    Args:
        scores: in [0, 1], any shape.
        threshold: T.
    """
    return (scores >= threshold) & (threshold < 1)


def attention_maps(points: Tensor, kept: Tensor, side: int, cells: tuple[int, int], sigma: float) -> Tensor:
    """Return one Gaussian map per point: 1 at the point, zero everywhere if it is not kept (OADN, Sec. 3.1).

    Evaluated at the centres of the cells, which is what drawing at full size and sampling down to them gives.

    Args:
        points: in pixels of the image, pixel centres at whole numbers plus one half, (B, M, 2) or more columns.
        kept: (B, M), bool.
        side: of the square image, pixels.
        cells: rows and columns of the maps.
        sigma: standard deviation as a share of the side; 0.048 is 10.75 pixels of 224.

    Returns:
        In [0, 1], (B, M, *cells), in the precision of the points.
    """
    rows, columns = (
        (torch.arange(count, device=points.device, dtype=points.dtype) + 0.5) * (side / count) for count in cells
    )
    scale = -0.5 / (sigma * side) ** 2
    down = torch.exp(scale * (rows - points[..., 1:2]).square())
    across = torch.exp(scale * (columns - points[..., :1]).square())
    return (down * kept[..., None])[..., :, None] * across[..., None, :]
