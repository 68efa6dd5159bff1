"""What a landmarker is: aligned crops in, 68 points and a confidence for each out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from openfer.errors import DataError

POINTS = 68
"""The iBUG points: contour 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67."""

GROUPS = {
    "contour": slice(0, 17),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
    "eyes": slice(36, 48),
    "mouth": slice(48, 68),
}
"""Which of the 68 points belong to which part of the face."""

Crops = Sequence[np.ndarray] | np.ndarray
"""RGB, uint8, N crops of (S, S, 3) in the canonical frame ``face``."""


@dataclass(frozen=True)
class Landmarks:
    """Points of N faces.

    Attributes:
        points: in crop pixels, pixel centres at whole numbers plus one half, (N, 68, 2), float32.
        confidence: probability that the camera sees each point, or an external detector's raw score, in [0, 1]; NaN
            of a landmarker that does not know; (N, 68), float32.
    """

    points: np.ndarray
    confidence: np.ndarray

    @property
    def with_confidence(self) -> bool:
        """Whether the landmarker knows which points are covered."""
        return bool(np.isfinite(self.confidence).all())


class Landmarker(Protocol):
    """Finds 68 points on aligned crops; a covered point gets an estimated place too."""

    name: str
    licence: str

    def __call__(self, crops: Crops) -> Landmarks:
        """Return points and confidences of N crops.

        Raises:
            DataError: if a crop is not a square RGB image of bytes.
        """
        ...


def check_crops(crops: Crops) -> None:
    """Refuse what is not aligned crops.

    Raises:
        DataError: naming the first crop that is not RGB, uint8 and square.
    """
    for number, crop in enumerate(crops):
        if crop.dtype != np.uint8 or crop.ndim != 3 or crop.shape[2] != 3 or crop.shape[0] != crop.shape[1]:
            raise DataError(
                f"crop {number} is {crop.dtype} of shape {crop.shape}; landmarks are found on aligned crops, "
                "RGB bytes of shape (S, S, 3)"
            )


def concatenate(parts: Sequence[Landmarks]) -> Landmarks:
    """Join the landmarks of batches in their order; of none, an empty one."""
    if not parts:
        return Landmarks(np.zeros((0, POINTS, 2), np.float32), np.zeros((0, POINTS), np.float32))
    return Landmarks(
        np.concatenate([part.points for part in parts]), np.concatenate([part.confidence for part in parts])
    )
