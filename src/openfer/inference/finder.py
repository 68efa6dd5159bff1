"""From an image to the faces in it, cut out and measured as a model wants them."""

from dataclasses import dataclass

import numpy as np

from openfer.faces.alignment import fit
from openfer.faces.mediapipe.canonical import Pose, read_canonical
from openfer.faces.mediapipe.detector import FoundFace, MediapipeDetector
from openfer.faces.mediapipe.measure import FaceMeter
from openfer.faces.mediapipe.model_file import read_landmarker
from openfer.faces.template import apply, warp
from openfer.inference.card import Crop, Input

_SURE = 0.9
"""The default of ``smallest_score`` in :class:`openfer.faces.config.FacesConfig`, by which training faces are found."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A face in an image, before a model has looked at it.

    Attributes:
        box: left, top, right, bottom in pixels of the image, (4,).
        points: eye centres, nose tip and mouth corners in pixels of the image, left of the image first, (5, 2).
        score: of the detection, in [0, 1].
        pose: of the head, in degrees.
        crop: the aligned face, RGB, uint8, (S, S, 3).
        blendshapes: float32, (52,); None where nobody asked for geometry.
        geometry: blendshapes, then the coordinates of the mesh, float32, (1486,); None where nobody asked for it.
    """

    box: np.ndarray
    points: np.ndarray
    score: float
    pose: Pose
    crop: np.ndarray
    blendshapes: np.ndarray | None = None
    geometry: np.ndarray | None = None


class FaceFinder:
    """Finds, aligns and measures the faces of an image, by the steps that made the training data.

    It serves one thread at a time: LiteRT's interpreters keep their input and output.

    Args:
        crop: how a face is cut out.
        wanted: what the model looks at; ``geometry`` is measured on the crop.
        smallest_face: share of the image's shorter side; faces below it are looked for only where there is no larger
            one, in (0, 1).
        most_faces: the search of an image ends when it has found more; None finds all.
    """

    def __init__(self, crop: Crop, wanted: Input, smallest_face: float, most_faces: int | None = None) -> None:
        self._crop, self._most = crop, most_faces
        self._detector = MediapipeDetector(smallest_face, _SURE)
        self._canonical = read_canonical(read_landmarker().canonical)
        self._meter = FaceMeter() if wanted == "geometry" else None

    def __call__(self, image: np.ndarray) -> list[Seen]:
        """Return the faces in one image, the largest first.

        Args:
            image: RGB, uint8, (H, W, 3).
        """
        sure = [face for face in self._detector.find(image, self._most) if face.score >= _SURE]
        return [self._seen(image, face) for face in sorted(sure, key=_area, reverse=True)]

    def _seen(self, image: np.ndarray, face: FoundFace) -> Seen:
        points = face.mesh.five
        transform = fit(points, self._crop.template, self._crop.eye_weight)
        crop = warp(image, transform, self._crop.size)
        _, pose = self._canonical.normalise(face.mesh.points)
        seen = Seen(face.mesh.box, points, face.score, pose, crop)
        if self._meter is None:
            return seen
        stored = apply(transform, points).astype(np.float32)  # a face store keeps points as float32
        measured = self._meter(crop, stored.astype(float))
        geometry = np.concatenate([measured.blendshapes, measured.mesh.ravel()])
        return Seen(**vars(seen) | {"blendshapes": measured.blendshapes, "geometry": geometry})


def _area(face: FoundFace) -> float:
    left, top, right, bottom = face.mesh.box
    return float((right - left) * (bottom - top))
