"""What the landmarker measures on one aligned crop, and on its mirror image."""

from dataclasses import dataclass

import numpy as np

from openfer.faces.mediapipe.blendshapes import BlendshapeNetwork
from openfer.faces.mediapipe.canonical import Pose, read_canonical
from openfer.faces.mediapipe.detector import MediapipeDetector
from openfer.faces.mediapipe.mesh import Mesh, MeshNetwork, square
from openfer.faces.mediapipe.model_file import read_landmarker
from openfer.faces.template import apply, invert, similarity, template_points

_CENTRE, _SIDE = np.array([0.49, 0.487]), 0.745 * 1.5
"""The square that the mesh network looks at, as shares of a crop in the frame ``face``: 1.5 times the box of the
points, the median over 210 rendered faces."""

_WHOLE = 1.1
"""The same for a crop in which no face was found, against its shorter side. Of 48-pixel crops that fill the image the
network saw a face in 92 % at 1.1 and 84 to 91 % at 0.9, 1.0, 1.2, 1.35 and 1.5 (86 crops)."""

_MIRRORED = [1, 0, 2, 4, 3]
"""The order of five points after left and right have changed places."""


@dataclass(frozen=True)
class Measurement:
    """What was measured on one crop.

    Attributes:
        presence: probability that the points are those of a face, in [0, 1]; low for faces that are turned by more than
            60 degrees, although their points are right.
        pose: of the head.
        mesh: in the canonical face's frame, see :meth:`~openfer.faces.mediapipe.canonical.CanonicalFace.normalise`,
            centimetres, float32, (478, 3).
        blendshapes: in the order of :data:`~openfer.faces.mediapipe.blendshapes.BLENDSHAPES`, float32, (52,).
    """

    presence: float
    pose: Pose
    mesh: np.ndarray
    blendshapes: np.ndarray


class FaceMeter:
    """Measures crops. The same crop gives the same bits in every process of one machine."""

    def __init__(self) -> None:
        file = read_landmarker()
        self._mesh, self._blendshapes = MeshNetwork(file.mesh), BlendshapeNetwork(file.blendshapes)
        self._canonical = read_canonical(file.canonical)
        self._detector = MediapipeDetector(smallest_share=0.3, smallest_score=0.9)

    def __call__(self, crop: np.ndarray, points5: np.ndarray | None) -> Measurement:
        """Measure one crop.

        With five points the place of the face is known and the detector is not asked, which would miss faces that
        fill the crop. Without points the largest face that the detector finds is measured, or else the crop's centre.

        Args:
            crop: RGB, uint8, (H, W, 3).
            points5: eye centres, nose tip and mouth corners in crop pixels, (5, 2), or None.
        """
        mesh = self._found(crop) if points5 is None else self._mesh(crop, square_around(points5))
        normalised, pose = self._canonical.normalise(mesh.points)
        return Measurement(mesh.presence, pose, normalised.astype(np.float32), self._blendshapes(mesh.points))

    def _found(self, crop: np.ndarray) -> Mesh:
        meshes = [face.mesh for face in self._detector.find(crop)]
        if meshes:
            return max(meshes, key=lambda mesh: float((mesh.box[2:] - mesh.box[:2]).prod()))
        height, width = crop.shape[:2]
        centre = np.array([width / 2, height / 2])
        return self._mesh(crop, square(centre, _WHOLE * min(height, width), np.array([1.0, 0.0])))


def flipped(crop: np.ndarray, points5: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the mirror image of a crop, (H, W, 3), and its five points, (5, 2) or None."""
    mirrored = np.ascontiguousarray(crop[:, ::-1])
    return mirrored, None if points5 is None else np.abs([crop.shape[1], 0] - points5)[_MIRRORED]


def square_around(points5: np.ndarray) -> np.ndarray:
    """Return the similarity from a crop to the mesh network's square around five points, (2, 3)."""
    back = invert(similarity(points5, template_points(1)))
    centre = apply(back, _CENTRE[None])[0]
    return square(centre, _SIDE * float(np.hypot(*back[:, 0])), back[:, 0])
