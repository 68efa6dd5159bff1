import math

import pytest
import torch

from openfer.losses.mutual_information import mutual_information_bound


def product(first, second):
    return (first * second).sum(dim=1, keepdim=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_equation_13_written_as_loops(dtype):
    torch.manual_seed(0)
    first, second = torch.randn(6, 3, dtype=dtype), torch.randn(6, 3, dtype=dtype)
    permutation = torch.randperm(6)
    joint = independent = 0.0
    for i in range(6):
        joint += sum(a * b for a, b in zip(first[i].tolist(), second[i].tolist(), strict=True)) / 6
        partner = second[permutation[i]].tolist()
        independent += math.exp(sum(a * b for a, b in zip(first[i].tolist(), partner, strict=True))) / 6
    found = mutual_information_bound(product, first, second, permutation)
    assert found.item() == pytest.approx(joint - math.log(independent), rel=1e-4)


def test_is_zero_for_an_estimator_that_sees_nothing():
    bound = mutual_information_bound(
        lambda a, b: torch.full((len(a), 1), 0.7), torch.rand(4, 2), torch.rand(4, 2), torch.arange(4)
    )
    assert bound.item() == pytest.approx(0, abs=1e-6)


def test_never_exceeds_zero_when_the_permutation_moves_nothing():
    first, second = torch.randn(8, 3), torch.randn(8, 3)
    assert mutual_information_bound(product, first, second, torch.arange(8)).item() <= 0  # Jensen


def test_is_larger_for_features_that_share_information():
    torch.manual_seed(0)
    first, shuffle = torch.randn(256, 1), torch.randperm(256)
    related = mutual_information_bound(lambda a, b: -((a - b) ** 2), first, first, shuffle)
    unrelated = mutual_information_bound(lambda a, b: -((a - b) ** 2), first, torch.randn(256, 1), shuffle)
    assert related > 0.5 > unrelated


def test_does_not_overflow_where_the_exponential_would():
    first = torch.full((3, 1), 40.0, requires_grad=True)
    bound = mutual_information_bound(product, first, torch.full((3, 1), 40.0), torch.tensor([1, 2, 0]))
    bound.backward()
    assert bound.item() == pytest.approx(0, abs=1e-3)
    assert first.grad.isfinite().all()
