import pytest
import torch

from openfer_faces.landmarks.decode import decode
from openfer_faces.landmarks.loss import landmark_loss


def gaussian_map(column: float, row: float, sigma: float = 1.2, cells: int = 16, height: float = 0.0) -> torch.Tensor:
    """Logits of a Gaussian around a point, cell centres at whole numbers plus one half."""
    places = torch.arange(cells) + 0.5
    return height - ((places - column) ** 2 + (places[:, None] - row) ** 2) / (2 * sigma**2)


@pytest.mark.parametrize(("column", "row"), [(5.5, 9.5), (5.75, 9.5), (6.0, 8.9), (7.31, 4.2), (8.0, 8.0)])
def test_a_peak_between_cells_is_found_to_a_twentieth_of_a_cell(column: float, row: float) -> None:
    points, _ = decode(gaussian_map(column, row)[None, None])
    assert points[0, 0].tolist() == pytest.approx([column, row], abs=0.05)


def test_a_peak_at_the_edge_stays_inside_its_cell() -> None:
    points, _ = decode(gaussian_map(0.5, 15.5)[None, None])
    assert 0 < points[0, 0, 0] < 1.5
    assert 14.5 < points[0, 0, 1] < 16


def test_the_height_of_a_map_is_its_score_and_moves_no_point() -> None:
    low, high = gaussian_map(6.2, 7.7), gaussian_map(6.2, 7.7, height=5.0)
    points, peaks = decode(torch.stack([low, high])[None])
    assert torch.allclose(points[0, 0], points[0, 1], atol=1e-4)
    assert (peaks[0, 1] - peaks[0, 0]).item() == pytest.approx(5.0, abs=1e-4)


def test_a_second_hill_far_away_moves_no_point() -> None:
    hills = torch.logaddexp(gaussian_map(4.3, 4.6), gaussian_map(13.0, 13.0, height=-0.5))
    points, _ = decode(hills[None, None])
    assert points[0, 0].tolist() == pytest.approx([4.3, 4.6], abs=0.05)


def test_the_place_is_learned_best_by_the_gaussian_itself_and_visibility_by_its_height() -> None:
    points = torch.full((1, 68, 2), 6.3)
    seen, hidden = torch.ones(1, 68), torch.zeros(1, 68)
    right = gaussian_map(6.3, 6.3, height=6.0).expand(1, 68, 16, 16)
    aside = gaussian_map(7.3, 6.3, height=6.0).expand(1, 68, 16, 16)
    best, worse = (landmark_loss(maps, points, seen, 1.2, 0.25) for maps in (right, aside))
    assert best["place"] < worse["place"]
    assert best["visibility"] < 0.01 < landmark_loss(right, points, hidden, 1.2, 0.25)["visibility"]
    lifted = landmark_loss(right + 3, points, seen, 1.2, 0.25)
    assert torch.allclose(lifted["place"], best["place"], atol=1e-4)


def test_a_point_outside_the_crop_has_no_place_to_learn() -> None:
    maps = gaussian_map(6.3, 6.3).expand(1, 68, 16, 16).clone().requires_grad_()
    points = torch.full((1, 68, 2), 6.3)
    points[0, 5] = torch.tensor([-3.0, 4.0])
    landmark_loss(maps, points, torch.ones(1, 68), 1.2, 0.25)["place"].backward()
    assert maps.grad is not None
    assert maps.grad[0, 5].abs().max() == 0
    assert maps.grad[0, 6].abs().max() > 0
