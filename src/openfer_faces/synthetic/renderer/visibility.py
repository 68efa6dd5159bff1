"""Which of the 68 landmarks the camera sees."""

import numpy as np

from openfer_faces.synthetic.landmarks import CONTOUR, EYES, MOUTH
from openfer_faces.synthetic.renderer.materials import OCCLUDING

_TOLERANCE = np.full(68, 0.07)
_TOLERANCE[EYES] = 0.12
_TOLERANCE[MOUTH] = 0.11
_TOLERANCE[CONTOUR] = 0.20
"""How far behind the drawn surface a point may lie and still be seen, decimetres."""

_REACH = np.ones(68, int)
_REACH[CONTOUR] = 3
"""Pixels around a point in which that surface is looked for; contour points lie on the silhouette itself."""

_DOWN, _ACROSS = (offsets.ravel() for offsets in np.mgrid[-3:4, -3:4])
_NEAR = np.maximum(abs(_DOWN), abs(_ACROSS)) <= _REACH[:, None]
"""The window around each point, (49,), and which of it counts, (68, 49)."""

_EMPTY = 1e8


def visible_points(
    screen: np.ndarray, depth: np.ndarray, owner: np.ndarray, materials: np.ndarray, covered: np.ndarray
) -> np.ndarray:
    """Return which points are inside the image, in front, and not behind an occluder, (68,), bool.

    Args:
        screen: the points as pixel x, pixel y, depth, (68, 3).
        depth: the depth buffer, (side, side).
        owner: the triangle buffer, (side, side), -1 where empty.
        materials: of the triangles, (T,).
        covered: points known to be covered, (68,), bool.
    """
    side = len(depth)
    columns, rows = np.floor(screen[:, 0]).astype(int), np.floor(screen[:, 1]).astype(int)
    inside = (columns >= 0) & (columns < side) & (rows >= 0) & (rows < side)
    columns, rows = columns.clip(0, side - 1), rows.clip(0, side - 1)
    around = depth[(rows[:, None] + _DOWN).clip(0, side - 1), (columns[:, None] + _ACROSS).clip(0, side - 1)]
    surface = np.where(_NEAR & (around < _EMPTY), around, -1).max(1)
    owners = owner[rows, columns]
    behind_occluder = (owners >= 0) & np.isin(materials[owners.clip(0)], OCCLUDING)
    in_front = screen[:, 2] <= surface + _TOLERANCE
    return inside & in_front & ~behind_occluder & ~covered
