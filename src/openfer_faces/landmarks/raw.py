"""A landmarker in two halves: points with a raw score, and the calibration that makes it a probability."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from openfer_faces.landmarks.calibrate import Calibration, fit_calibration
from openfer_faces.landmarks.contract import Crops, Landmarks, check_crops, concatenate

_BATCH = 64
"""Crops held in memory at once while a long list is worked through."""


class RawLandmarker(Protocol):
    """Finds points and says of each how sure it is, in whatever unit.

    Attributes:
        name: of what finds them.
        licence: of its weights.
    """

    name: str
    licence: str

    def find(self, crops: Crops) -> tuple[np.ndarray, np.ndarray]:
        """Return points in crop pixels (N, 68, 2) and raw scores, higher for visible points or NaN, (N, 68)."""
        ...


class ScoredLandmarker:
    """A landmarker with a confidence in [0, 1] for every point.

    Args:
        raw: what finds the points.
        confidence: of its scores, (N, 68) each: a :class:`Calibration`, which gives the probability that a point is
            visible, or another function.
    """

    def __init__(self, raw: RawLandmarker, confidence: Callable[[np.ndarray], np.ndarray]) -> None:
        self.name, self.licence = raw.name, raw.licence
        self._raw, self._confidence = raw, confidence

    def __call__(self, crops: Crops) -> Landmarks:
        """Return points and confidences of N crops."""
        check_crops(crops)
        parts = []
        for start in range(0, len(crops), _BATCH):
            points, scores = self._raw.find(crops[start : start + _BATCH])
            parts.append(Landmarks(points.astype(np.float32), self._confidence(scores)))
        return concatenate(parts)


def fit_on(raw: RawLandmarker, crops: Crops, visible: np.ndarray) -> Calibration:
    """Return what a landmarker's scores mean, from crops whose visible points are known.

    Args:
        raw: what finds points.
        crops: of people that nobody was trained on.
        visible: (N, 68), bool.
    """
    check_crops(crops)
    scores = [raw.find(crops[start : start + _BATCH])[1] for start in range(0, len(crops), _BATCH)]
    return fit_calibration(np.concatenate(scores), visible)
