"""What a horizontal flip does to the 68 points: places are mirrored and names change sides."""

import numpy as np

_PAIRS = (
    *((number, 16 - number) for number in range(8)),
    *((17 + number, 26 - number) for number in range(5)),
    *((31, 35), (32, 34)),
    *((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),
    *((48, 54), (49, 53), (50, 52), (59, 55), (58, 56), (60, 64), (61, 63), (67, 65)),
)


def _permutation() -> np.ndarray:
    order = np.arange(68)
    for left, right in _PAIRS:
        order[left], order[right] = right, left
    return order


MIRROR = _permutation()
"""``points[MIRROR]`` are a mirrored face's points in their usual order, (68,)."""


def mirror_points(points: np.ndarray, size: int) -> np.ndarray:
    """Return the points of a mirrored crop: (..., 68, 2) in a crop of ``size`` pixels."""
    turned = points[..., MIRROR, :].copy()
    turned[..., 0] = size - turned[..., 0]
    return turned
