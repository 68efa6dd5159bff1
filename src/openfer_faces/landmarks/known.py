"""Faces of a store whose points are known, read when asked for, and what they look like to a landmarker."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from openfer.io.face_store import FaceStore
from openfer.seeds import generator_for
from openfer_faces.landmarks.augment import KnownFace, augment
from openfer_faces.landmarks.settings import AugmentSettings


class KnownFaces(Sequence[KnownFace]):
    """Rows of a face store with ``points5``, ``points68`` and ``confidence68``, the truth about visibility.

    Args:
        store: the faces.
        rows: numbers of the store's rows.
    """

    def __init__(self, store: FaceStore, rows: np.ndarray) -> None:
        table = store.table(["points5", "points68", "confidence68"]).iloc[rows]
        self._store, self._rows = store, rows
        self._five = _stacked(table["points5"], (5, 2))
        self._points = _stacked(table["points68"], (68, 2))
        self._visible = _stacked(table["confidence68"], (68,)) >= 0.5

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self._rows)

    def __getitem__(self, number: int) -> KnownFace:  # type: ignore[override]  # slices are nobody's wish
        """Return a face as it is stored."""
        image = self._store.image(int(self._rows[number]))
        return KnownFace(image, self._five[number], self._points[number], self._visible[number])


def held_out(
    faces: Sequence[KnownFace], size: int, settings: AugmentSettings, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return faces as a landmarker meets them: aligned by a detector, covered, photographed; each one once.

    Args:
        faces: of people that nobody was trained on.
        size: side of the crops, pixels.
        settings: how much varies.
        seed: of the variation.

    Returns:
        Crops (N, size, size, 3), uint8; points in their pixels (N, 68, 2); visibility (N, 68), bool.
    """
    varied = []
    for number in range(len(faces)):
        generator = generator_for(seed, "held out", number)
        other = faces[int(generator.integers(len(faces)))].image
        varied.append(augment(faces[number], other, size, settings, generator))
    crops = np.stack([face.image for face in varied])
    return crops, np.stack([face.points68 for face in varied]), np.stack([face.visible68 for face in varied])


def _stacked(values: pd.Series, shape: tuple[int, ...]) -> np.ndarray:
    return np.array([np.asarray(one, float) for one in values]).reshape(-1, *shape)
