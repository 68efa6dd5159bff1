"""Points and maps on geometry that a pencil can check."""

import math

import pytest
import torch

from openfer.nn.interest_points import PARTS, attention_maps, interest_points, kept_points

SIDE = 256


def numbered():
    """A face whose point number n (from 1) lies at (n, 2n) with the score n / 100."""
    n = torch.arange(1, 69, dtype=torch.float64)
    return torch.stack([n, 2 * n, n / 100], dim=1)[None]


def test_sixteen_points_are_copied_in_the_recipe_s_order():
    found = interest_points(numbered(), SIDE)[0, :16]
    expected = [19, 22, 23, 26, 39, 37, 44, 46, 28, 30, 49, 51, 53, 55, 59, 57]
    assert found[:, 0].tolist() == expected
    assert found[:, 1].tolist() == [2 * n for n in expected]
    torch.testing.assert_close(found[:, 2], torch.tensor(expected, dtype=torch.float64) / 100)


def test_six_points_are_midpoints_as_sure_as_the_less_sure_end():
    found = interest_points(numbered(), SIDE)[0, 16:22].tolist()
    for (x, y, score), (a, b) in zip(found, [(20, 38), (25, 45), (41, 42), (47, 48), (18, 59), (27, 57)], strict=True):
        assert (x, y) == ((a + b) / 2, a + b)
        assert score == pytest.approx(a / 100)  # the lower number has the lower score here


def test_two_cheek_points_lie_sixteen_pixels_of_256_outside_and_above_the_mouth_s_corners():
    left, right = interest_points(numbered(), 256)[0, 22:].tolist()
    assert left == pytest.approx([49 - 16, 98 - 16, 0.49])
    assert right == pytest.approx([55 + 16, 110 - 16, 0.55])
    half = interest_points(numbered(), 128)[0, 22].tolist()
    assert half == pytest.approx([49 - 8, 98 - 8, 0.49])
    quarter = interest_points(numbered(), 64)[0, 23].tolist()
    assert quarter == pytest.approx([55 + 4, 110 - 4, 0.55])


def test_every_point_belongs_to_one_part_of_the_face():
    assert sorted(number for part in PARTS.values() for number in part) == list(range(24))
    assert interest_points(numbered(), SIDE).shape == (1, 24, 3)


def test_a_mirrored_face_has_mirrored_points(tiny_faces):
    """On rendered faces: mirror the 68 points and recompute, or recompute and mirror."""
    import numpy as np

    from openfer.faces.mirror import mirror_points

    table = tiny_faces.store.table(["points68", "confidence68"]).head(4)
    points = np.stack(table["points68"].tolist()).reshape(-1, 68, 2)
    scores = np.linspace(0, 1, 4 * 68).reshape(4, 68, 1)
    faces = np.concatenate([points, scores], axis=2)
    mirrored = interest_points(torch.from_numpy(mirror_points(faces, 64)), 64)
    straight = interest_points(torch.from_numpy(faces), 64)
    for one, other in zip(mirrored.tolist(), straight.tolist(), strict=True):
        turned = sorted((round(64 - x, 4), round(y, 4), round(score, 6)) for x, y, score in other)
        assert sorted((round(x, 4), round(y, 4), round(score, 6)) for x, y, score in one) == turned


@pytest.mark.parametrize(
    ("threshold", "kept"),
    [(0.0, [True] * 4), (0.6, [False, False, True, True]), (0.61, [False, False, False, True]), (1.0, [False] * 4)],
)
def test_a_point_is_kept_from_the_threshold_on_zero_keeps_all_and_one_keeps_none(threshold, kept):
    scores = torch.tensor([0.0, 0.59, 0.6, 1.0], dtype=torch.float64)
    assert kept_points(scores, threshold).tolist() == kept


def test_a_map_is_a_gaussian_about_its_point_read_at_the_centres_of_the_cells():
    points = torch.tensor([[[8.0, 24.0], [30.0, 5.0]]], dtype=torch.float64)
    maps = attention_maps(points, torch.ones(1, 2, dtype=torch.bool), 32, (2, 4), sigma=0.25)
    assert maps.shape == (1, 2, 2, 4)
    sigma = 0.25 * 32
    for number, (x, y) in enumerate(points[0].tolist()):
        for row in range(2):
            for column in range(4):
                squared = (8 * column + 4 - x) ** 2 + (16 * row + 8 - y) ** 2
                assert maps[0, number, row, column].item() == pytest.approx(math.exp(-squared / (2 * sigma**2)))


def test_a_map_is_one_where_the_point_is_a_cell_s_centre_and_never_more():
    points = torch.tensor([[[24.0, 8.0]]])
    maps = attention_maps(points, torch.ones(1, 1, dtype=torch.bool), 224, (14, 14), sigma=0.048)
    assert maps[0, 0, 0, 1] == maps.max() == 1
    # the next centre is 16 pixels away: exp(-16^2 / (2 * 10.752^2))
    assert maps[0, 0, 0, 2].item() == pytest.approx(0.3305, abs=2e-4)


def test_a_dropped_point_s_map_is_zero_everywhere():
    kept = torch.tensor([[True, False]])
    maps = attention_maps(torch.full((1, 2, 2), 20.0), kept, 64, (4, 4), sigma=0.2)
    assert maps[0, 0].min() > 0
    assert maps[0, 1].abs().max() == 0
