"""The bound of a fresh network against the closed form of Gaussians: -d/2 log(1 - rho^2) nats."""

import math

import numpy as np
import pytest
import torch

from openfer.errors import DataError
from openfer.training.information import information_bound

EACH = 10
"""Faces of one person."""


def gaussians(n, rho, seed=0):
    """Features of which one dimension counts; the others are zero."""
    draw = np.random.default_rng(seed)
    first, second = np.zeros((2, n, 128), np.float32)
    first[:, 0] = draw.normal(size=n)
    second[:, 0] = rho * first[:, 0] + math.sqrt(1 - rho**2) * draw.normal(size=n)
    return first, second, np.arange(n) // EACH


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_comes_within_a_tenth_of_a_nat_of_the_closed_form_and_not_above_it(rho):
    truth = -0.5 * math.log(1 - rho**2)
    found = information_bound(*gaussians(1500, rho), seed=0).held_out
    assert truth - 0.1 < found < truth + 0.02


@pytest.mark.slow
def test_dependence_without_correlation_is_found():
    first, second, people = gaussians(1500, 0.8)
    assert information_bound(first, second**2, people, seed=0).held_out > 0.1


def test_what_was_learned_by_heart_does_not_count():
    """Noise of 128 dimensions: on its own faces the network finds information, on unseen people none."""
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=(2, 100, 128))
    found = information_bound(first, second, np.arange(100) // EACH, seed=0)
    assert found.trained > 0.2
    assert found.held_out < 0.05


def test_the_seed_decides_and_the_state_of_torch_stays():
    inputs = gaussians(60, 0.9)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one = information_bound(*inputs, seed=0)
    assert torch.rand(1) == expected
    assert information_bound(*inputs, seed=0) == one
    assert information_bound(*inputs, seed=1) != one


def test_a_dimension_that_is_the_same_for_all_faces_and_any_scale_do_no_harm():
    first, second, people = gaussians(60, 0.9)
    same = information_bound(first, second, people, seed=0)
    assert information_bound(1000 * first + 7, second, people, seed=0).held_out == pytest.approx(
        same.held_out, abs=1e-2
    )


def test_other_lengths_and_too_few_people_are_refused():
    first, second, people = gaussians(60, 0.9)
    with pytest.raises(DataError, match=r"length 128 of 60 faces, given the shape \(60, 5\)"):
        information_bound(first, second[:, :5], people, seed=0)
    with pytest.raises(DataError, match="4 people or more, given 3"):
        information_bound(first[:30], second[:30], people[:30], seed=0)
    with pytest.raises(DataError, match="8 faces of 8 people leave 1 to one of the parts"):
        information_bound(first[:8], second[:8], np.arange(8), seed=0)
