"""Faces in an image of any size: the detector looks at squares, the mesh network places the points of each face."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from openfer.faces.detected import Detected
from openfer.faces.mediapipe.boxes import SIDE, Boxes, decode, merge, overlaps, steadied
from openfer.faces.mediapipe.mesh import Mesh, MeshNetwork, square
from openfer.faces.mediapipe.model_file import read_landmarker
from openfer.faces.mediapipe.network import Network

_LEAST_WHOLE, _LEAST_PART = 0.5, 0.7
"""Boxes with a lower score are no candidates. 0.5 is MediaPipe's. Parts of an image are many, so chance finds more in
them: in noise and shuffled photographs candidates had up to 0.75, faces of 40 pixels 0.85 and more."""

_SEEN_SHARE = 0.2
"""Height of the smallest head that is found, as a share of the square's side: 16 of 16 photographs at 0.2, 12 at 0.16,
1 at 0.12."""

_ZOOMS = (1.0, 0.5, 2.0, 4.0, 8.0)
"""How many squares fit the longer side. A half gives a face that fills the image a black border."""

_FINEST = 96
"""Pixels of the image; no square is smaller."""

_MARGIN = 1.5
"""Side of the mesh network's square, against the longer side of a detected box, as in MediaPipe."""

_SURE = 0.85
"""A box with this score is a face, whatever the mesh network says. That network denies faces that are turned by more
than 60 degrees, although its points are right: rendered faces of 75 degrees have boxes of 0.84, a presence of 0.03, and
points 5 % of the box's side away from the true ones (medians of 16)."""

_LEAST_SCORE = 0.5
"""Of a face that is returned."""

_PROFILE = 0.1
"""Eyes that are nearer to each other, against the side of the box, do not tell how a face is turned in the image."""

_SAME_FACE = 0.3
"""Two meshes whose boxes have a larger intersection over union are one face."""


@dataclass(frozen=True)
class FoundFace:
    """A face.

    Attributes:
        mesh: its points.
        score: the presence of the mesh, or the box's score as a share of 0.85 if that is more, in [0, 1].
    """

    mesh: Mesh
    score: float


class MediapipeDetector:
    """Finds faces and their 478 points.

    The search begins with the whole image. It goes on with a black border and with ever smaller squares until faces of
    ``smallest_share`` could be seen, and further only while there is no sure face.

    Args:
        smallest_share: of the image's shorter side; see :class:`openfer.faces.config.FacesConfig`.
        smallest_score: from which a face is sure, in [0, 1].
    """

    def __init__(self, smallest_share: float, smallest_score: float) -> None:
        self._share, self._score = smallest_share, smallest_score
        file = read_landmarker()
        self._detector, self._mesh = Network(file.detector), MeshNetwork(file.mesh)

    def __call__(self, image: np.ndarray) -> Detected:
        """Find the faces in one image, RGB, uint8, (H, W, 3)."""
        faces = self.find(image)
        return Detected(
            np.array([face.mesh.box for face in faces]).reshape(-1, 4),
            np.array([face.mesh.five for face in faces]).reshape(-1, 5, 2),
            np.array([face.score for face in faces]),
        )

    def find(self, image: np.ndarray, most: int | None = None) -> list[FoundFace]:
        """Return the faces in one image with all their points.

        Args:
            image: RGB, uint8, (H, W, 3).
            most: the search ends when it has found more sure faces; None finds all.
        """
        longer, shorter = max(image.shape[:2]), min(image.shape[:2])
        found: list[FoundFace] = []
        for zoom in _ZOOMS:
            side = longer / zoom
            enough = any(face.score >= self._score for face in found)
            if zoom > 1 and side < _FINEST:
                break
            if enough and (zoom < 1 or 2 * side * _SEEN_SHARE <= self._share * shorter):
                continue
            least = _LEAST_PART if zoom > 1 else _LEAST_WHOLE
            found = self._placed(image, merge(self._candidates(image, side, least)), found, most)
            if self._are_more(found, most):
                break
        return found

    def _candidates(self, image: np.ndarray, side: float, least: float) -> Boxes:
        """Return boxes, in image pixels, from overlapping squares with this side that cover the image."""
        height, width = image.shape[:2]
        small = [max(1, round(length * SIDE / side)) for length in (width, height)]
        reduced = np.asarray(
            Image.fromarray(image).resize((small[0], small[1]), Image.Resampling.BILINEAR, reducing_gap=2)
        )
        scale = np.array([width / small[0], height / small[1]])
        parts = []
        for top in _starts(small[1]):
            for left in _starts(small[0]):
                boxes, shift = self._boxes(_cut(reduced, left, top), least), np.array([left, top])
                corners = boxes.corners.reshape(-1, 2, 2) + shift
                parts.append(Boxes((corners * scale).reshape(-1, 4), (boxes.points + shift) * scale, boxes.scores))
        return Boxes(
            np.concatenate([part.corners for part in parts]),
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )

    def _boxes(self, pixels: np.ndarray, least: float) -> Boxes:
        regressors, logits = self._detector(pixels[None] / np.float32(127.5) - 1)
        return decode(regressors[0], logits[0, :, 0], least)

    def _placed(self, image: np.ndarray, boxes: Boxes, known: list[FoundFace], most: int | None) -> list[FoundFace]:
        """Return the known faces and those of the boxes that are none of them; no further ones beyond ``most``."""
        faces = list(known)
        for corners, points, score in zip(boxes.corners, boxes.points, boxes.scores, strict=True):
            side = float((corners[2:] - corners[:2]).max())
            across = _across(points, side)
            if side <= 0 or not np.hypot(*across) > 0:
                continue
            centre, along = steadied((corners[:2] + corners[2:]) / 2, side), steadied(across, side)
            mesh = self._mesh(image, square(centre, _MARGIN * float(steadied(np.array(side), side)), along))
            face = FoundFace(mesh, max(mesh.presence, min(1.0, float(score) / _SURE)))
            others = np.array([one.mesh.box for one in faces]).reshape(-1, 4)
            if face.score >= _LEAST_SCORE and not (overlaps(others, mesh.box) > _SAME_FACE).any():
                faces.append(face)
                if self._are_more(faces, most):
                    break
        return faces

    def _are_more(self, faces: list[FoundFace], most: int | None) -> bool:
        return most is not None and sum(face.score >= self._score for face in faces) > most


def _across(points: np.ndarray, side: float) -> np.ndarray:
    """Return the direction from the eye left in the image to the other one, from a box's six points, (6, 2).

    A profile's eyes coincide; its direction is the one from the eyes to the mouth, turned by a quarter.
    """
    left, right, _, mouth = points[:4]
    if np.hypot(*(right - left)) >= _PROFILE * side:
        return right - left
    down = mouth - (left + right) / 2
    return np.array([down[1], -down[0]])


def _starts(length: int) -> list[int]:
    """Return where squares of the input's side begin, half a side apart; a single one is centred."""
    if length <= SIDE:
        return [(length - SIDE) // 2]
    return [*range(0, length - SIDE, SIDE // 2), length - SIDE]


def _cut(pixels: np.ndarray, left: int, top: int) -> np.ndarray:
    """Return a square of the input's side, black where the image ends."""
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + SIDE, width), min(top + SIDE, height)
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    square[y0 - top : y1 - top, x0 - left : x1 - left] = pixels[y0:y1, x0:x1]
    return square
