"""Align the face of an image, or say why there is none."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from openfer.faces.config import FacesConfig
from openfer.faces.detected import Detected
from openfer.faces.template import apply, five_of_68, invert, similarity, template_points, warp

FindFaces = Callable[[np.ndarray], Detected]
_ALL_POINTS = 68

Find68 = Callable[[list[np.ndarray]], np.ndarray]
"""Crops in the frame ``face`` -> 68 points each, (N, 68, 2)."""


class NoFaceError(Exception):
    """There is no face to store; the text is the reason, for the quarantine table."""


@dataclass(frozen=True)
class Aligned:
    """A face in its place.

    Attributes:
        crop: RGB, uint8, (S, S, 3).
        transform: similarity from image to crop pixels, (2, 3).
        points5: in crop pixels, (5, 2), or None where none are known.
        score: of the detection, in [0, 1]; 1 where the place was given.
    """

    crop: np.ndarray
    transform: np.ndarray
    points5: np.ndarray | None
    score: float


class Aligner:
    """Cuts out faces as a dataset's parameters say.

    Args:
        config: the parameters.
        find_faces: the detector; needed for ``align: detect``.
        find_68: the landmarker; needed for ``refine``.
    """

    def __init__(self, config: FacesConfig, find_faces: FindFaces | None, find_68: Find68 | None) -> None:
        self._config = config
        self._find_faces = find_faces
        self._find_68 = find_68
        self._target = template_points(config.size, config.frame)

    def __call__(self, image: np.ndarray, landmarks: np.ndarray | None, box: np.ndarray | None) -> Aligned:
        """Align the face that a row means.

        Args:
            image: RGB, uint8, (H, W, 3).
            landmarks: given 2 (eyes), 5 or 68 points in image pixels, (N, 2), or None.
            box: given left, top, width, height in image pixels, (4,), or None: ``align: box`` then takes that of 68
                given points.

        Raises:
            NoFaceError: with the reason.
        """
        side = self._config.smallest_side
        if min(image.shape[:2]) < side:
            raise NoFaceError(f"{image.shape[1]}x{image.shape[0]} pixels, fewer than {side} on a side")
        if self._config.align == "whole":
            height, width = image.shape[:2]
            square = min(height, width)
            return self._of_square(image, (width - square) / 2, (height - square) / 2, square)
        if self._config.align == "box":
            return self._of_box(image, _around(landmarks) if box is None else box)
        return self._of_points(image, *self._five(image, landmarks, box))

    def _five(
        self, image: np.ndarray, landmarks: np.ndarray | None, box: np.ndarray | None
    ) -> tuple[np.ndarray, float]:
        if self._config.align == "points":
            if landmarks is None:
                raise NoFaceError("the dataset gives no points")
            return _template_part(landmarks), 1.0
        if self._find_faces is None:
            raise ValueError("align: detect needs a detector")
        least = self._config.smallest_score
        best = 0.0
        for turns in (0, 1, 3, 2) if self._config.turned else (0,):
            found = self._find_faces(np.ascontiguousarray(np.rot90(image, turns))).turned_back(turns, image.shape)
            best = max(best, found.scores.max(initial=0))
            if best >= least:
                which = meant_face(found.at_least(least), image.shape, self._config, landmarks, box)
                return found.at_least(least).points[which], float(found.at_least(least).scores[which])
        raise NoFaceError(f"no face found (best score {best:.2f})" if best else "no face found")

    def _of_points(self, image: np.ndarray, points: np.ndarray, score: float) -> Aligned:
        if np.ptp(points, axis=0).max() <= 0:
            raise NoFaceError("the given points coincide")
        self._check_inside(image, points.mean(axis=0))
        if self._find_68 is not None:
            points = self._refined(image, points, self._find_68)
        transform = fit(points, self._target, self._config.eye_weight)
        width = self._config.size / np.hypot(transform[0, 0], transform[1, 0])
        if width < self._config.smallest_side:
            raise NoFaceError(f"the face has about {width:.0f} pixels, fewer than {self._config.smallest_side}")
        crop = warp(image, transform, self._config.size)
        return Aligned(crop, transform, apply(transform, points) if len(points) == 5 else None, score)

    def _refined(self, image: np.ndarray, points: np.ndarray, find_68: Find68) -> np.ndarray:
        """Return five points from the 68 of a first crop; lids fix an eye better than one detected point."""
        first = similarity(points, template_points(self._config.size, "face")[: len(points)])
        found = find_68([warp(image, first, self._config.size)])
        return apply(invert(first), five_of_68(found[0]))

    def _of_box(self, image: np.ndarray, box: np.ndarray | None) -> Aligned:
        if box is None:
            raise NoFaceError("the dataset gives no box, and no 68 points to draw one around")
        left, top, width, height = box
        if min(width, height) < self._config.smallest_side:
            least = self._config.smallest_side
            raise NoFaceError(f"the given box has {width:.0f}x{height:.0f} pixels, fewer than {least} on a side")
        square = max(width, height) * (1 + 2 * self._config.margin)
        centre = np.array([left + width / 2, top + height / 2])
        self._check_inside(image, centre)
        left, top = centre - square / 2
        return self._of_square(image, left, top, square)

    def _of_square(self, image: np.ndarray, left: float, top: float, square: float) -> Aligned:
        scale = self._config.size / square
        transform = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        return Aligned(warp(image, transform, self._config.size), transform, None, 1.0)

    def _check_inside(self, image: np.ndarray, centre: np.ndarray) -> None:
        height, width = image.shape[:2]
        if not (0 <= centre[0] < width and 0 <= centre[1] < height):
            raise NoFaceError(
                f"the given face is at ({centre[0]:.0f}, {centre[1]:.0f}), outside {width}x{height} pixels"
            )


def fit(points: np.ndarray, template: np.ndarray, eye_weight: float) -> np.ndarray:
    """Return the similarity from image to crop pixels that aligns a face, (2, 3).

    Args:
        points: eye centres, nose tip and mouth corners in image pixels, or the eyes alone, (5, 2) or (2, 2).
        template: where the five points lie in the crop, (5, 2).
        eye_weight: how much an eye counts, against 1 for the others.
    """
    weights = np.array([eye_weight, eye_weight, 1, 1, 1])[: len(points)]
    return similarity(points, template[: len(points)], weights)


def meant_face(
    found: Detected,
    shape: tuple[int, ...],
    config: FacesConfig,
    landmarks: np.ndarray | None,
    box: np.ndarray | None,
) -> int:
    """Return which of several faces a row means.

    Args:
        found: at least one face.
        shape: of the image.
        config: whose ``meant`` is the rule.
        landmarks: given points, (2, 2), (5, 2) or (68, 2), or None.
        box: given left, top, width, height, or None.

    Returns:
        The face's number; equal ones go to the first.
    """
    points = None if landmarks is None else _template_part(landmarks)
    centres = found.points[:, : None if points is None else len(points)].mean(axis=1)
    sizes = (found.boxes[:, 2] - found.boxes[:, 0]) * (found.boxes[:, 3] - found.boxes[:, 1])
    if config.meant == "surest":
        return int(found.scores.argmax())
    if config.meant == "central":
        middle = np.array([shape[1], shape[0]]) / 2
        return int(np.linalg.norm(centres - middle, axis=1).argmin())
    if config.meant == "given" and (points is not None or box is not None):
        goal = points.mean(axis=0) if points is not None else _centre(box)
        return int(np.linalg.norm(centres - goal, axis=1).argmin())
    return int(sizes.argmax())


def _template_part(landmarks: np.ndarray) -> np.ndarray:
    """Return the points that the template has: the five of 68, or two eyes or five points as they are."""
    return five_of_68(landmarks) if len(landmarks) == 68 else landmarks


def _around(landmarks: np.ndarray | None) -> np.ndarray | None:
    """Return left, top, width, height of the box around 68 points; None without them: fewer span no face."""
    if landmarks is None or len(landmarks) != _ALL_POINTS:
        return None
    return np.concatenate([landmarks.min(axis=0), np.ptp(landmarks, axis=0)])


def _centre(box: np.ndarray | None) -> np.ndarray:
    if box is None:
        raise ValueError("there is no box")
    return np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])
