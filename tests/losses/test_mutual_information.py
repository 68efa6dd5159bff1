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


def optimal_critic(correlation):
    """Return log p(x, y) / (p(x) p(y)) of two standard Gaussians: with it the bound is the mutual information."""
    rest = 1 - correlation**2

    def critic(x, y):
        return -0.5 * math.log(rest) + (2 * correlation * x * y - correlation**2 * (x**2 + y**2)) / (2 * rest)

    return critic


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("correlation", [0.0, 0.5, -0.8, 0.9])
def test_is_the_information_of_two_gaussians_where_the_critic_is_optimal(correlation, dtype):
    """-1/2 log(1 - rho^2), 0 for independent ones, within four standard errors: 0.007 to 0.020 nats of 200,000 pairs.

    The critic's variance is rho^2 over the pairs, and that of its exponential rho^2 / (1 - rho^2) over the shuffled.
    """
    torch.manual_seed(0)
    count, rest = 200_000, 1 - correlation**2
    x, noise = torch.randn(2, count, 1, dtype=torch.float64)
    y = correlation * x + math.sqrt(rest) * noise
    found = mutual_information_bound(optimal_critic(correlation), x.to(dtype), y.to(dtype), torch.randperm(count))
    standard_error = math.sqrt((correlation**2 + correlation**2 / rest) / count)
    assert found.item() == pytest.approx(-0.5 * math.log(rest), abs=4 * standard_error + 1e-6)


def test_any_other_critic_gives_less_than_the_optimal_one():
    torch.manual_seed(0)
    x, noise = torch.randn(2, 200_000, 1, dtype=torch.float64)
    y, shuffle = 0.9 * x + math.sqrt(1 - 0.81) * noise, torch.randperm(200_000)
    best = mutual_information_bound(optimal_critic(0.9), x, y, shuffle)
    assert all(mutual_information_bound(optimal_critic(other), x, y, shuffle) < best for other in (0.5, 0.8, 0.95))
