"""52 blendshapes, which Apple's ARKit named, read from the points of a mesh."""

import numpy as np

from openfer.faces.mediapipe.network import Network
from openfer.labels import ACTION_UNITS

BLENDSHAPES = ("_neutral", *ACTION_UNITS)
"""In the order of the network's output. ``_neutral`` is no movement and stays near 0.

``noseSneer`` and ``cheekPuff`` hardly move, whatever the face does.
"""

# fmt: off
READ = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80, 81,
    82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154,
    155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263,
    267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321,
    323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387,
    388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)
# fmt: on
"""The 146 points that the network reads (MediaPipe, ``face_blendshapes_graph.cc``)."""


class BlendshapeNetwork:
    """Reads blendshapes from the points of one mesh.

    Args:
        content: of the TFLite file.
    """

    def __init__(self, content: bytes) -> None:
        self._network = Network(content)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return the blendshapes, in [0, 1], in the order of :data:`BLENDSHAPES`, float32, (52,).

        Args:
            points: of a mesh in image pixels, (478, 3); depth is not read.
        """
        (values,) = self._network(points[None, list(READ), :2])
        return np.clip(values, 0, 1)
