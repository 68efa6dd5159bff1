"""Faces that a detector has found; no torch here, so that sets with given points need none."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Detected:
    """All faces in an image, in pixels of that image.

    Attributes:
        boxes: left, top, right, bottom, (N, 4).
        points: eye centres, nose tip, mouth corners, left of the image first, (N, 5, 2).
        scores: in [0, 1], (N,).
    """

    boxes: np.ndarray
    points: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        """Return N."""
        return len(self.scores)

    def at_least(self, score: float) -> "Detected":
        """Return the faces with at least this score."""
        sure = self.scores >= score
        return Detected(self.boxes[sure], self.points[sure], self.scores[sure])

    def turned_back(self, quarters: int, shape: tuple[int, ...]) -> "Detected":
        """Return the faces of an image that was turned by quarters (as ``np.rot90`` does) in pixels of the original.

        Args:
            quarters: 0 to 3, counter-clockwise.
            shape: of the original.
        """
        height, width = shape[:2]
        corners = _unturn(self.boxes.reshape(-1, 2, 2), quarters, width, height)
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        return Detected(boxes, _unturn(self.points, quarters, width, height), self.scores)


def _unturn(points: np.ndarray, quarters: int, width: int, height: int) -> np.ndarray:
    """Bring (..., 2) points of a turned image back to the one of this width and height."""
    x, y = points[..., 0], points[..., 1]
    places = ((x, y), (width - y, x), (width - x, height - y), (y, height - x))
    return np.stack(places[quarters], axis=-1)
