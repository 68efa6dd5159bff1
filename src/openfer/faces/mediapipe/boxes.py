"""The detector's output: anchors, decoding, and merging of boxes that mean the same face."""

from dataclasses import dataclass

import numpy as np

from openfer.faces.mediapipe.network import sigmoid

SIDE = 128
"""Of the detector's input, pixels."""

_GRIDS = ((16, 2), (8, 6))
"""Cells on a side, and anchors in each cell."""

_SAME_FACE = 0.3
"""Boxes with a larger intersection over union are merged."""

_STEPS = 2048
"""Of a face's side, at least, in which its place is counted; see :func:`steadied`."""


@dataclass(frozen=True)
class Boxes:
    """Boxes with six points each, and scores.

    Attributes:
        corners: left, top, right, bottom, (N, 4).
        points: two eyes (left of the image first), nose, mouth, two ears, (N, 6, 2).
        scores: in [0, 1], (N,).
    """

    corners: np.ndarray
    points: np.ndarray
    scores: np.ndarray


def anchors() -> np.ndarray:
    """Return the centres of the 896 anchors, x and y as shares of the input's side, (896, 2)."""
    grids = []
    for cells, count in _GRIDS:
        centres = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(centres, centres, indexing="ij")
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), count, axis=0))
    return np.concatenate(grids)


_ANCHORS = anchors()


def decode(regressors: np.ndarray, logits: np.ndarray, least: float) -> Boxes:
    """Return the boxes with at least a score, in pixels of the detector's input.

    Args:
        regressors: centre, size and six points as offsets from the anchors, in pixels, (896, 16).
        logits: of the scores, (896,).
        least: the lowest score, in [0, 1].
    """
    scores = sigmoid(logits)
    sure = scores >= least
    pairs = regressors[sure].reshape(-1, 8, 2).astype(float)
    places = _ANCHORS[sure] * SIDE
    centre, half = pairs[:, 0] + places, pairs[:, 1] / 2
    corners = np.concatenate([centre - half, centre + half], axis=1)
    return Boxes(corners, pairs[:, 2:] + places[:, None], scores[sure])


def overlaps(corners: np.ndarray, one: np.ndarray) -> np.ndarray:
    """Return the intersection over union of each box, (N, 4), with one box, (4,): (N,) in [0, 1]."""
    shared = np.minimum(corners[:, 2:], one[2:]) - np.maximum(corners[:, :2], one[:2])
    intersection = np.clip(shared, 0, None).prod(axis=1)
    union = (corners[:, 2:] - corners[:, :2]).prod(axis=1) + (one[2:] - one[:2]).prod() - intersection
    return np.divide(intersection, union, out=np.zeros(len(corners)), where=union > 0)


def merge(boxes: Boxes) -> Boxes:
    """Merge overlapping boxes into their mean, weighted by score; a merged box has the highest score.

    The surest box collects all boxes that overlap with it, then the surest of those that are left, as in MediaPipe.

    Returns:
        The merged boxes, the surest first.
    """
    order = np.argsort(-boxes.scores, kind="stable")
    corners, points, scores = boxes.corners[order], boxes.points[order], boxes.scores[order]
    merged: list[tuple[np.ndarray, np.ndarray, float]] = []
    while len(scores):
        same = overlaps(corners, corners[0]) > _SAME_FACE
        same[0] = True
        weights = scores[same] / scores[same].sum()
        merged.append((weights @ corners[same], np.tensordot(weights, points[same], 1), float(scores[0])))
        corners, points, scores = corners[~same], points[~same], scores[~same]
    return Boxes(
        np.array([box for box, _, _ in merged]).reshape(-1, 4),
        np.array([six for _, six, _ in merged]).reshape(-1, 6, 2),
        np.array([score for _, _, score in merged]),
    )


def steadied(values: np.ndarray, side: float, finer: int = 1) -> np.ndarray:
    """Round places to a power of two that is 1/2048 to 1/4096 of a face's side, divided by ``finer``.

    Two builds of a network differ in the last bits. A face cut out a ten-thousandth of a pixel beside another one
    differs in some bytes, and these change probabilities by up to 0.002. A rounded place is the same for both, but for
    the few places between two steps.

    Args:
        values: in image pixels.
        side: of the face, image pixels, > 0.
        finer: a power of two.
    """
    step = 2.0 ** np.floor(np.log2(side)) / (_STEPS * finer)
    return np.round(values / step) * step
