"""Anchors, decoding and merging against loops that follow the definition."""

import math

import numpy as np

from openfer.faces.mediapipe.boxes import Boxes, anchors, decode, merge, overlaps, steadied
from openfer.seeds import generator_for


def naive_anchors() -> list[tuple[float, float]]:
    centres = []
    for cells, count in ((16, 2), (8, 6)):
        for row in range(cells):
            for column in range(cells):
                centres += [((column + 0.5) / cells, (row + 0.5) / cells)] * count
    return centres


def naive_overlap(a: np.ndarray, b: np.ndarray) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0.0


def naive_merge(boxes: Boxes) -> list[tuple[float, np.ndarray]]:
    """Score and corners of the merged boxes."""
    left = sorted(range(len(boxes.scores)), key=lambda number: -boxes.scores[number])
    merged = []
    while left:
        best = left[0]
        group = [n for n in left if n == best or naive_overlap(boxes.corners[n], boxes.corners[best]) > 0.3]
        total = sum(boxes.scores[n] for n in group)
        merged.append((boxes.scores[best], sum(boxes.scores[n] * boxes.corners[n] for n in group) / total))
        left = [n for n in left if n not in group]
    return merged


def drawn(count: int) -> Boxes:
    draw = generator_for(0, "boxes")
    corner = draw.uniform(0, 60, (count, 2))
    corners = np.concatenate([corner, corner + draw.uniform(5, 50, (count, 2))], axis=1)
    return Boxes(corners, draw.uniform(0, 128, (count, 6, 2)), draw.uniform(0.5, 1, count))


def test_anchors_are_the_centres_of_two_grids() -> None:
    assert anchors().shape == (896, 2)
    assert np.allclose(anchors(), naive_anchors())


def test_decoding_adds_offsets_to_anchors() -> None:
    draw = generator_for(0, "decode")
    regressors, logits = draw.normal(0, 20, (896, 16)), draw.normal(-4, 4, 896)
    boxes = decode(regressors, logits, least=0.5)
    expected = []
    for numbers, logit, (x, y) in zip(regressors, logits, naive_anchors(), strict=True):
        score = 1 / (1 + math.exp(-logit))
        if score >= 0.5:
            cx, cy, width, height = numbers[0] + x * 128, numbers[1] + y * 128, numbers[2], numbers[3]
            box = (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)
            expected.append((score, *box, numbers[4] + x * 128, numbers[15] + y * 128))
    found = np.column_stack([boxes.scores, boxes.corners, boxes.points[:, 0, 0], boxes.points[:, 5, 1]])
    assert len(expected) > 50
    assert np.allclose(found, expected)


def test_overlaps_are_intersections_over_unions() -> None:
    boxes = drawn(50).corners
    assert np.allclose(overlaps(boxes, boxes[3]), [naive_overlap(box, boxes[3]) for box in boxes])
    assert overlaps(np.zeros((1, 4)), np.zeros(4)) == 0


def test_merged_boxes_are_means_weighted_by_score() -> None:
    boxes = drawn(80)
    merged = merge(boxes)
    expected = naive_merge(boxes)
    assert 1 < len(expected) < 80
    assert np.allclose(merged.scores, [score for score, _ in expected])
    assert np.allclose(merged.corners, [corners for _, corners in expected])
    assert (np.diff(merged.scores) <= 0).all()


def test_nothing_merges_into_nothing() -> None:
    merged = merge(Boxes(np.zeros((0, 4)), np.zeros((0, 6, 2)), np.zeros(0)))
    assert (merged.corners.shape, merged.points.shape, merged.scores.shape) == ((0, 4), (0, 6, 2), (0,))


def test_a_steadied_place_is_near_and_the_last_bits_of_a_network_do_not_move_it() -> None:
    draw = generator_for(0, "steadied")
    places = draw.uniform(0, 4000, 2000)
    for side in (20.0, 300.0, 2500.0):
        near = steadied(places, side)
        assert np.abs(near - places).max() <= side / 2048 / 2
        moved = steadied(places + draw.normal(0, 1e-7 * side, len(places)), side)
        assert np.mean(moved != near) < 0.002
        assert np.abs(steadied(places, side, finer=2) - places).max() <= side / 4096 / 2
