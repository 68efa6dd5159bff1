from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.evaluation.independence import dependence, independence_summary
from openfer.schemas import INDEPENDENCE


def gaussians(n, dimensions, seed):
    draw = np.random.default_rng(seed)
    return draw.normal(size=(n, dimensions)), draw.normal(size=(n, dimensions))


def naive_kernel(feature):
    n = len(feature)
    squares = [[sum((feature[i] - feature[j]) ** 2) for j in range(n)] for i in range(n)]
    median = np.median([squares[i][j] for i in range(n) for j in range(i)])
    return [[np.exp(-squares[i][j] / (2 * median)) for j in range(n)] for i in range(n)]


def naive_hsic(k, m):
    """The U-statistic: over all four different faces, Song et al. (2012)."""
    terms = [
        k[i][j] * m[i][j] + k[i][j] * m[q][r] - 2 * k[i][j] * m[i][q] for i, j, q, r in permutations(range(len(k)), 4)
    ]
    return sum(terms) / len(terms)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_u_statistic_written_as_loops(dtype):
    first, second = (feature.astype(dtype) for feature in gaussians(7, 3, seed=0))
    second[:, 0] += first[:, 1] ** 2
    k, m = naive_kernel(first), naive_kernel(second)
    expected = naive_hsic(k, m) / np.sqrt(naive_hsic(k, k) * naive_hsic(m, m))
    assert dependence(first, second).value == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("dimensions", [2, 128])
def test_independent_gaussians_are_near_zero_however_many_dimensions(dimensions):
    values, chances = zip(
        *(vars(dependence(*gaussians(150, dimensions, seed))).values() for seed in range(8)), strict=True
    )
    assert np.abs(values).max() < 0.06
    assert np.mean(chances) > 0.25
    assert min(chances) > 0.01


def test_dependence_without_any_correlation_is_found():
    first, noise = gaussians(150, 1, seed=0)
    second = first**2 - (first**3).mean() * first + 0.1 * noise
    assert abs(np.corrcoef(first[:, 0], second[:, 0])[0, 1]) < 0.1
    found = dependence(first, second)
    assert found.value > 0.3
    assert found.p_value == 1 / 501


def test_a_feature_agrees_with_itself_turned_and_scaled():
    first, _ = gaussians(40, 4, seed=1)
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))
    assert dependence(first, 7 * first @ turn).value == pytest.approx(1)


def test_a_feature_that_is_the_same_for_all_faces_says_nothing_of_another():
    first, _ = gaussians(20, 4, seed=1)
    assert vars(dependence(first, np.ones((20, 4)))) == {"value": 0.0, "p_value": 1.0}


def test_too_few_faces_are_refused():
    with pytest.raises(DataError, match="4 faces or more, given 3"):
        dependence(np.eye(3), np.eye(3))


def test_seeds_are_averaged_and_the_worst_probability_is_kept():
    run = {"method": "addl", "variant": "addl", "selection": "last", "n": 70, "people": 10}
    rows = [
        run | {"seed": seed, "when": when, "measure": measure, "value": value, "p_value": p}
        for seed, when, measure, value, p in [
            (0, "before", "hsic", 0.2, 0.01),
            (1, "before", "hsic", 0.4, 0.3),
            (0, "after", "mine", 1.0, None),
            (1, "after", "mine", 2.0, None),
        ]
    ]
    summary = independence_summary(INDEPENDENCE.validate(pd.DataFrame(rows)))
    assert summary["value"].tolist() == pytest.approx([0.3, 1.5])
    assert summary["value_std"].tolist() == pytest.approx([0.2 / 2**0.5, 1 / 2**0.5])
    assert summary["largest_p"].tolist() == [0.3, pytest.approx(np.nan, nan_ok=True)]
