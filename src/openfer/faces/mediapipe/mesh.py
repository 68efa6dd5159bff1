"""478 points with depth in an upright square around a face."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from openfer.faces.mediapipe.boxes import steadied
from openfer.faces.mediapipe.network import Network, sigmoid
from openfer.faces.template import apply, invert, similarity, warp

POINTS = 478
_INPUT = 256

RIGHT_IRIS, LEFT_IRIS = slice(468, 473), slice(473, 478)
"""Five points each; a person's right eye is the left one in the image."""

_NOSE_TIP, _MOUTH_CORNERS = 1, (61, 291)


@dataclass(frozen=True)
class Mesh:
    """What the network sees in a region.

    Attributes:
        points: x and y in image pixels, z in the same unit, growing away from the camera, (478, 3).
        presence: probability that the region holds a face, in [0, 1].
    """

    points: np.ndarray
    presence: float

    @property
    def five(self) -> np.ndarray:
        """Eye centres, nose tip and mouth corners in image pixels, left of the image first, (5, 2).

        The eye centres are those of the irises. On 68 photographs they lie 0.9 % of the distance between the eyes from
        the given pupils (median), the means of the lids 3 %. They are rounded to 1/4096 of the face's side or less.
        """
        flat = self.points[:, :2]
        eyes = [flat[RIGHT_IRIS].mean(axis=0), flat[LEFT_IRIS].mean(axis=0)]
        five = np.stack([*eyes, flat[_NOSE_TIP], *flat[list(_MOUTH_CORNERS)]])
        return steadied(five, float(np.ptp(flat, axis=0).max()), finer=2)

    @property
    def box(self) -> np.ndarray:
        """Left, top, right, bottom of all points, (4,)."""
        flat = self.points[:, :2]
        return np.concatenate([flat.min(axis=0), flat.max(axis=0)])


def square(centre: np.ndarray, side: float, across: np.ndarray) -> np.ndarray:
    """Return the similarity from the image to an upright square of 256 pixels around a face, (2, 3).

    Args:
        centre: of the square, image pixels, (2,).
        side: of the square, image pixels, > 0.
        across: the direction from the eye left in the image to the other one, (2,); not zero.
    """
    along = across / np.hypot(*across) * side / 2
    corners = np.stack([centre - along, centre + along])
    return similarity(corners, np.array([(0.0, _INPUT / 2), (_INPUT, _INPUT / 2)]))


class MeshNetwork:
    """Finds the points of one face.

    Args:
        content: of the TFLite file.
    """

    def __init__(self, content: bytes) -> None:
        self._network = Network(content)

    def __call__(self, image: np.ndarray, to_square: np.ndarray) -> Mesh:
        """Find the points.

        Args:
            image: RGB, uint8, (H, W, 3); what lies outside is black.
            to_square: from image pixels to the network's input, see :func:`square`, (2, 3).
        """
        crop = warp(image, to_square, _INPUT, Image.Resampling.BILINEAR)
        points, presence, _ = self._network(crop[None] / np.float32(255))
        found = points.reshape(POINTS, 3).astype(float)
        depth = found[:, 2] / np.hypot(to_square[0, 0], to_square[1, 0])
        flat = apply(invert(to_square), found[:, :2])
        return Mesh(np.column_stack([flat, depth]), float(sigmoid(presence).item()))
