"""The canonical face: where five points lie in an aligned crop, and the similarity that brings them there."""

from typing import Literal

import numpy as np
from PIL import Image

Frame = Literal["face", "tight"]
"""How much is around the five points. ``face`` shows the face from forehead to an open jaw, framed like the
embedded faces; ``tight`` is the usual frame of face recognition, which cuts the chin when the mouth opens."""

_USUAL = np.array([(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)])
"""The five points that face recognition aligns to, in a crop of 112 pixels (ArcFace, after SphereFace)."""

_FACE_SCALE = 0.908
_FACE_EYE_LINE = 0.345
"""Medians over the embedded faces: their eye distance against ``_USUAL``'s, and the height of their eyes."""

_LIFT = 0.0235
"""Of the distance between the eyes: how far MTCNN's eye centres lie above the lids' means of dlib's 68 points, the
mean over 68 photographs (deviation 0.016). The template's eyes are those of five-point detectors."""

_FILTERED = 3
"""Pixels around a crop that its filter reads, one more than a bicubic one does."""

EYES_68 = (slice(36, 42), slice(42, 48))
"""The six lid points of each eye among the 68, left of the image first."""


def template_points(size: int, frame: Frame = "face") -> np.ndarray:
    """Return where eye centres, nose tip and mouth corners lie in a crop.

    Args:
        size: side of the crop in pixels.
        frame: how much is around them.

    Returns:
        (5, 2), left of the image first; pixel centres are at whole numbers plus one half.
    """
    usual = _USUAL / 112
    if frame == "tight":
        return usual * size
    eyes = usual[:2].mean(axis=0)
    return ((usual - eyes) * _FACE_SCALE + (0.5, _FACE_EYE_LINE)) * size


def similarity(source: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the similarity transform (no reflection) that brings points nearest to others (Umeyama 1991).

    Args:
        source: (N, 2), N >= 2.
        target: (N, 2).
        weights: how much each point's squared distance counts, (N,); all the same by default.

    Returns:
        (2, 3), to be multiplied with (x, y, 1).

    Raises:
        ValueError: if the source points coincide, so that no scale brings them anywhere.
    """
    centre, goal = (np.average(points, axis=0, weights=weights) for points in (source, target))
    # as complex numbers a similarity is one multiplication, so least squares has a closed form
    z = np.ascontiguousarray(source - centre, dtype=float).view(complex).ravel()
    w = np.ascontiguousarray(target - goal, dtype=float).view(complex).ravel()
    weighted = z.conj() if weights is None else z.conj() * weights
    spread = float((weighted * z).sum().real)
    if not spread > 0:
        raise ValueError("the points coincide")
    turn = complex((weighted * w).sum()) / spread
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, goal - linear @ centre])


def apply(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return (N, 2) points under a (2, 3) transform."""
    return points @ transform[:, :2].T + transform[:, 2]


def invert(transform: np.ndarray) -> np.ndarray:
    """Return the inverse of a (2, 3) transform."""
    linear = np.linalg.inv(transform[:, :2])
    return np.column_stack([linear, -linear @ transform[:, 2]])


def warp(
    image: np.ndarray,
    transform: np.ndarray,
    size: int,
    resampling: Image.Resampling = Image.Resampling.BICUBIC,
) -> np.ndarray:
    """Return the crop that a similarity cuts out; black where the image ends.

    An image that shrinks to less than half is reduced by a whole factor first, so that no pixel of it is skipped.

    Args:
        image: RGB, uint8, (H, W, 3).
        transform: from image to crop pixels, (2, 3).
        size: side of the crop.
        resampling: Pillow's filter.

    Returns:
        RGB, uint8, (size, size, 3).
    """
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    factor = max(1, int(0.5 / scale)) if scale < 0.5 else 1
    back = invert(transform)
    left, top, right, bottom = _seen(back, size, factor, image.shape)
    picture = Image.fromarray(image[top:bottom, left:right])
    back[:, 2] -= (left, top)
    if factor > 1:
        picture = picture.reduce(factor)
        back = back / factor
    coefficients = tuple(float(number) for number in back.ravel())
    return np.asarray(picture.transform((size, size), Image.Transform.AFFINE, coefficients, resampling))


def _seen(back: np.ndarray, size: int, factor: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the part of an image that a crop needs: the rest need not be copied.

    Args:
        back: from crop to image pixels, (2, 3).
        size: side of the crop.
        factor: by which the image is reduced; the part begins at a multiple of it.
        shape: of the image.
    """
    height, width = shape[:2]
    corners = apply(back, np.array([(0, 0), (size, 0), (0, size), (size, size)]))
    first = (np.floor(corners.min(axis=0) / factor) - _FILTERED) * factor
    last = (np.ceil(corners.max(axis=0) / factor) + _FILTERED) * factor
    left, top = (int(place) for place in np.clip(first, 0, np.array([width - 1, height - 1]) // factor * factor))
    right, bottom = (int(place) for place in np.clip(last, (left + 1, top + 1), (width, height)))
    return left, top, right, bottom


def five_of_68(points: np.ndarray) -> np.ndarray:
    """Return eye centres, nose tip and mouth corners from the 68 iBUG points: (68, 2) -> (5, 2).

    An eye's centre lies a little above the mean of its six lid points, as the upper lid covers more of it.
    """
    lids = np.stack([points[lid].mean(axis=0) for lid in EYES_68])
    across = lids[1] - lids[0]
    upward = np.array([across[1], -across[0]])
    return np.stack([*(lids + _LIFT * upward), points[30], points[48], points[54]])
