import pytest
import torch

from openfer.losses.rank_regularisation import high_group, rank_regularisation_loss


def naive(importance, share, margin):
    """Sort by hand, average by hand."""
    ranked = sorted(importance.tolist(), reverse=True)
    count = max(1, min(len(ranked) - 1, round(share * len(ranked))))
    high, low = ranked[:count], ranked[count:]
    return max(0.0, margin - (sum(high) / len(high) - sum(low) / len(low)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [2, 3, 10, 33])
@pytest.mark.parametrize("spread", [0.01, 1.0])
def test_it_is_what_the_equation_says(dtype, count, spread):
    torch.manual_seed(count)
    importance = (spread * torch.randn(count, dtype=dtype)).sigmoid()
    for share in (0.1, 0.5, 0.7, 0.95):
        found = rank_regularisation_loss(importance, high_group(importance, share), 0.15)
        assert found.dtype == dtype
        assert found.item() == pytest.approx(naive(importance, share, 0.15), abs=1e-6)


def test_seven_of_ten_are_high_and_no_group_is_ever_empty():
    importance = torch.linspace(0.9, 0.1, 10)
    assert high_group(importance, 0.7).tolist() == [True] * 7 + [False] * 3
    assert high_group(importance[:2], 0.99).tolist() == [True, False]
    assert high_group(importance[:2], 0.01).tolist() == [True, False]


def test_equal_weights_rank_by_their_place():
    assert high_group(torch.full((4,), 0.5), 0.5).tolist() == [True, True, False, False]


def test_it_lifts_the_high_group_and_lowers_the_low_one_until_the_margin_is_reached():
    importance = torch.tensor([0.5, 0.45, 0.48], requires_grad=True)
    loss = rank_regularisation_loss(importance, high_group(importance, 0.7), 0.15)
    loss.backward()
    assert torch.allclose(importance.grad, torch.tensor([-0.5, 1.0, -0.5]))
    apart = torch.tensor([0.9, 0.1, 0.9])
    assert rank_regularisation_loss(apart, high_group(apart, 0.7), 0.15) == 0


def test_half_precision_is_computed_in_single():
    importance = torch.tensor([0.5, 0.25, 0.5], dtype=torch.bfloat16)
    assert rank_regularisation_loss(importance, high_group(importance, 0.7), 0.3).dtype == torch.float32
