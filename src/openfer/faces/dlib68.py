"""dlib's 68 points: a cascade of regression trees, its doubt read from boxes that were moved a little.

The weights are trained on 300-W, whose images are licensed for non-commercial use; whatever the
package that carries them says, points found with them are for research.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from openfer.optional import optional
from openfer.seeds import generator_for

LICENCE = "non-commercial (trained on 300-W)"

_CENTRE, _SIDE = 0.49, 0.70
"""The box that dlib's own detector gives, share of a crop in the frame ``face``: medians over 136 photographs.
The points hardly depend on it: the median error of the eyes stays within 3 % for sides from 0.62 to 0.78."""

_SHIFT, _ZOOM = 0.06, 0.08
"""Deviations of the moved boxes, share of the box's side."""


class Dlib68:
    """Points of dlib's predictor; the score is minus the logarithm of how far they wander.

    Args:
        jitters: how many moved boxes are looked at beside the true one. They are the same for every crop.

    Raises:
        ParameterError: if the optional packages are not installed.
    """

    name = "dlib68"
    licence = LICENCE

    def __init__(self, jitters: int = 12) -> None:
        with optional("dlib", "the landmarker dlib68", "choose the landmarker heatmap"):
            import dlib
            import face_recognition_models
        self._dlib: Any = dlib
        self._predict = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())
        generator = generator_for("dlib68", "jitters")
        shifts = generator.normal(0, _SHIFT, (jitters, 2))
        zooms = np.exp(generator.normal(0, _ZOOM, (jitters, 1)))
        self._boxes = np.concatenate([[[0.0, 0.0, 1.0]], np.hstack([shifts, zooms])])

    def find(self, crops: Sequence[np.ndarray] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the points of the true box (N, 68, 2), and scores (N, 68)."""
        found = np.array([self._wander(np.ascontiguousarray(crop)) for crop in crops])
        found = found.reshape(len(crops), len(self._boxes), 68, 2)
        deviation = np.sqrt(found.var(axis=1).sum(-1))
        size = np.array([len(crop) for crop in crops])[:, None]
        return found[:, 0], -np.log(deviation / size + 1e-4)

    def _wander(self, crop: np.ndarray) -> list[list[tuple[float, float]]]:
        """Return the points of each box."""
        size = len(crop)
        found = []
        for across, down, zoom in self._boxes:
            side = _SIDE * zoom * size
            left, top = (round(_CENTRE * size + shift * _SIDE * size - side / 2) for shift in (across, down))
            box = self._dlib.rectangle(left, top, left + round(side) - 1, top + round(side) - 1)
            # dlib counts pixel centres as whole numbers
            found.append([(part.x + 0.5, part.y + 0.5) for part in self._predict(crop, box).parts()])
        return found
