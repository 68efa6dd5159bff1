"""How far predictions are apart: against a loop, symmetric, zero for equal ones."""

import math

import pytest
import torch

from openfer.losses.symmetric_divergence import symmetric_divergence


def softmax(row):
    powers = [math.exp(value) for value in row]
    return [power / sum(powers) for power in powers]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_the_mean_of_both_divergences_written_as_loops(dtype):
    torch.manual_seed(0)
    first, second = torch.randn(2, 6, 7, dtype=dtype)
    for one, other, found in zip(first, second, symmetric_divergence(first, second), strict=True):
        p, q = softmax(one.tolist()), softmax(other.tolist())
        forth = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
        back = sum(b * math.log(b / a) for a, b in zip(p, q, strict=True))
        assert found.item() == pytest.approx((forth + back) / 2, rel=1e-4)


def test_is_symmetric_and_zero_for_equal_predictions():
    torch.manual_seed(1)
    first, second = torch.randn(2, 5, 7)
    torch.testing.assert_close(symmetric_divergence(first, second), symmetric_divergence(second, first))
    assert not symmetric_divergence(first, first).any()
    torch.testing.assert_close(symmetric_divergence(first, first + 3), torch.zeros(5), atol=1e-6, rtol=0)
    assert (symmetric_divergence(first, second) > 0).all()


def test_stays_finite_for_sure_predictions_that_contradict_each_other():
    sure = torch.tensor([[100.0, 0.0]]).bfloat16()
    found = symmetric_divergence(sure, sure.flip(1))
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(100, rel=1e-3)
