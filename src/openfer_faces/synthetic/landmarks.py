"""The 68 iBUG landmarks as vertices of the head, found from the mesh's own part boundaries.

The person's right half is searched and the left half mirrored, because the base mesh is symmetric.
"""

from collections.abc import Callable

import numpy as np

from openfer_faces.synthetic.head import HeadModel
from openfer_faces.synthetic.parts import Part

CONTOUR = slice(0, 17)
BROWS = slice(17, 27)
NOSE = slice(27, 36)
RIGHT_EYE = slice(36, 42)
LEFT_EYE = slice(42, 48)
EYES = slice(36, 48)
MOUTH = slice(48, 68)
OUTER_LIPS = slice(48, 60)
NOSE_TIP = 30
RIGHT_MOUTH_CORNER = 48
LEFT_MOUTH_CORNER = 54

_MIRRORED = (
    *((16 - right, right) for right in range(8)),
    *((26 - right, 17 + right) for right in range(5)),
    *((35, 31), (34, 32)),
    *((45, 36), (44, 37), (43, 38), (42, 39), (47, 40), (46, 41)),
    *((54, 48), (53, 49), (52, 50), (55, 59), (56, 58), (64, 60), (63, 61), (65, 67)),
)

_BROW_OFFSETS = ((-0.225, 0.145), (-0.13, 0.19), (-0.01, 0.20), (0.09, 0.185), (0.175, 0.165))
"""Brow points from the eye's centre, outer to inner, decimetres."""

_CONTOUR_PLACES = (
    *((-0.66, 0.0, 0.62), (-0.66, -0.23, 0.60), (-0.655, -0.43, 0.58), (-0.64, -0.62, 0.60)),
    *((-0.58, -0.80, 0.70), (-0.47, -0.93, 0.90), (-0.33, -1.03, 1.10), (-0.17, -1.09, 1.26), (0.0, -1.11, 1.33)),
)
"""Contour points: across, up from the eye line, forward; ear to chin, decimetres."""

Choose = Callable[[np.ndarray], np.intp]


class LandmarkFinder:
    """Finds the landmark vertices on a typical adult head.

    Args:
        head: the head model.
        shape: a typical adult neutral shape, (V, 3).
        normals: its unit normals, (V, 3).
        lip_weights: how much each vertex belongs to the lips, (V,).
    """

    def __init__(self, head: HeadModel, shape: np.ndarray, normals: np.ndarray, lip_weights: np.ndarray) -> None:
        self._head = head
        self._shape = shape
        self._normals = normals
        skin = head.vertices_of(Part.SKIN)
        self._skin = skin
        self._front = skin[normals[skin, 2] > -0.15]
        self._lips = skin[lip_weights[skin] > 0.5]
        self.eye_rims = np.intersect1d(skin, head.vertices_of(Part.EYE_SOCKET))
        self._mouth_rim = np.intersect1d(skin, head.vertices_of(Part.MOUTH_CAVITY))

    def find(self) -> np.ndarray:
        """Return the vertex of each of the 68 points, (68,), int64."""
        points = np.zeros(68, np.int64)
        eye_y = self._eye_and_brow(points)
        self._nose(points, eye_y)
        self._mouth(points)
        self._contour(points, eye_y)
        for left, right in _MIRRORED:
            mirrored = self._head.base[points[right]] * [-1, 1, 1]
            points[left] = np.argmin(((self._head.base - mirrored) ** 2).sum(1))
        return points

    def _nearest(self, x: float, y: float) -> int:
        """The front vertex nearest in x and y; of equals, the one further forward."""
        pool = self._shape[self._front]
        cost = (pool[:, 0] - x) ** 2 + (pool[:, 1] - y) ** 2 - 0.02 * pool[:, 2]
        return int(self._front[np.argmin(cost)])

    def _eye_and_brow(self, points: np.ndarray) -> float:
        """Fill the points of eye and brow; returns the height of the eyes."""
        shape = self._shape
        rim = self.eye_rims[shape[self.eye_rims, 0] < 0]
        outer, inner = rim[np.argmin(shape[rim, 0])], rim[np.argmax(shape[rim, 0])]
        width = shape[inner, 0] - shape[outer, 0]
        along = (shape[rim, 0] - shape[outer, 0]) / width
        corner_line = shape[outer, 1] + along * (shape[inner, 1] - shape[outer, 1])
        upper = rim[shape[rim, 1] > corner_line + 0.004]
        lower = rim[shape[rim, 1] < corner_line - 0.004]

        def at(lid: np.ndarray, share: float) -> int:
            return int(lid[np.argmin(np.abs(shape[lid, 0] - (shape[outer, 0] + share * width)))])

        points[RIGHT_EYE] = [outer, at(upper, 0.33), at(upper, 0.67), inner, at(lower, 0.67), at(lower, 0.33)]
        eye_x, eye_y = (shape[outer, :2] + shape[inner, :2]) / 2
        for number, (across, up) in enumerate(_BROW_OFFSETS):
            points[17 + number] = self._nearest(eye_x + across, eye_y + up)
        return float(eye_y)

    def _nose(self, points: np.ndarray, eye_y: float) -> None:
        shape = self._shape
        midline = self._front[np.abs(shape[self._front, 0]) < 0.012]
        height, forward = shape[midline, 1], shape[midline, 2]
        tip = midline[np.argmax(np.where((height > eye_y - 0.5) & (height < eye_y), forward, -np.inf))]
        bridge = np.linspace(eye_y + 0.01, shape[tip, 1], 4)
        for number in range(3):
            points[27 + number] = midline[np.argmin(np.abs(height - bridge[number]) - 0.02 * forward)]
        points[NOSE_TIP] = tip
        under = midline[(height < shape[tip, 1] - 0.05) & (height > shape[tip, 1] - 0.25)]
        expected = shape[tip, 1] - 0.13
        points[33] = under[np.argmin(shape[under, 2] + 0.6 * np.abs(shape[under, 1] - expected))]
        base = shape[points[33], 1]
        points[31], points[32] = self._nearest(-0.145, base + 0.035), self._nearest(-0.075, base + 0.012)

    def _mouth(self, points: np.ndarray) -> None:
        shape, lips = self._shape, self._lips
        jaw_motion = np.linalg.norm(self._head.offsets("unit:jawOpen"), axis=1)
        upper, lower = lips[jaw_motion[lips] < 0.06], lips[jaw_motion[lips] > 0.12]
        upper_front = upper[self._normals[upper, 2] > 0.1]
        lower_front = lower[self._normals[lower, 2] > 0.1]

        def strip(pool: np.ndarray, x: float, choose: Choose, half_width: float = 0.022) -> int:
            """The highest or lowest vertex of a narrow vertical strip."""
            near = pool[np.abs(shape[pool, 0] - x) < half_width]
            if len(near) == 0:
                near = pool[np.argsort(np.abs(shape[pool, 0] - x))[:4]]
            return int(near[choose(shape[near, 1])])

        points[RIGHT_MOUTH_CORNER] = lips[np.argmin(shape[lips, 0])]
        points[60] = self._mouth_rim[np.argmin(shape[self._mouth_rim, 0])]
        for number, x in ((51, 0.0), (50, -0.055), (49, -0.135)):
            points[number] = strip(upper, x, np.argmax)
        for number, x in ((57, 0.0), (58, -0.07), (59, -0.145)):
            points[number] = strip(lower, x, np.argmin)
        points[62], points[61] = strip(upper_front, 0, np.argmin), strip(upper_front, -0.08, np.argmin)
        points[66], points[67] = strip(lower_front, 0, np.argmax), strip(lower_front, -0.08, np.argmax, 0.045)

    def _contour(self, points: np.ndarray, eye_y: float) -> None:
        shape, skin = self._shape, self._skin
        side = (shape[skin, 2] > 0.30) & (shape[skin, 1] > eye_y - 1.25) & (np.abs(shape[skin, 0]) < 0.705)
        candidates = skin[side]
        for number, (across, up, forward) in enumerate(_CONTOUR_PLACES):
            difference = shape[candidates] - [across, eye_y + up, forward]
            points[number] = candidates[np.argmin((difference**2 * [1, 1.5, 1]).sum(1))]


def five_points(points: np.ndarray) -> np.ndarray:
    """Reduce 68 points to eye centres, nose tip and mouth corners.

    Args:
        points: coordinates (68, D), or one value per point (68,).

    Returns:
        Shape (5, D) or (5,); the eye on the image's left (the person's right) comes first.
    """
    right_eye, left_eye = points[RIGHT_EYE].mean(0), points[LEFT_EYE].mean(0)
    return np.stack([right_eye, left_eye, points[NOSE_TIP], points[RIGHT_MOUTH_CORNER], points[LEFT_MOUTH_CORNER]])
