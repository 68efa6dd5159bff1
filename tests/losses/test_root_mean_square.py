import math

import pytest
import torch
from tests.losses.test_concordance import NAN, some
from torchmetrics.functional import mean_squared_error

from openfer.losses.root_mean_square import root_mean_square, root_mean_square_loss


def naive(predicted, true, weights):
    roots = []
    for column in range(len(predicted[0])):
        known = [row for row in range(len(true)) if not math.isnan(true[row][column])]
        whole = sum(weights[row] for row in known)
        squares = sum(weights[row] * (predicted[row][column] - true[row][column]) ** 2 for row in known)
        roots.append(whole / len(known) * math.sqrt(squares / whole))
    return sum(roots) / len(roots)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_mean_of_the_roots_over_the_rated_samples_written_as_a_loop(dtype, weighted):
    predicted, true, weights = some(dtype)
    expected = naive(predicted.tolist(), true.tolist(), weights.tolist() if weighted else [1.0] * len(true))
    found = root_mean_square_loss(predicted, true, weights if weighted else None)
    assert found.dtype == dtype
    assert found.item() == pytest.approx(expected, rel=1e-5 if dtype == torch.float32 else 1e-12)


def test_each_dimension_is_torchmetrics_root_mean_square():
    predicted, true, _ = some(torch.float64)
    for column, found in enumerate(root_mean_square(predicted, true)):
        known = ~true[:, column].isnan()
        expected = mean_squared_error(predicted[known, column], true[known, column], squared=False)
        assert found.item() == pytest.approx(expected.item())


@pytest.mark.parametrize(
    ("predicted", "true", "expected"),
    [
        ([[0.3, 0.1], [0.2, 0.5]], [[NAN, NAN], [NAN, NAN]], 0.0),
        ([[0.3, 0.1], [0.2, 0.5]], [[0.1, 0.4], [NAN, NAN]], 0.25),
        ([[0.1, 0.4], [0.2, 0.5]], [[0.1, 0.4], [NAN, NAN]], 0.0),
        ([[0.3, 0.3], [0.3, 0.3]], [[0.3, 0.3], [0.3, 0.3]], 0.0),
    ],
    ids=["none", "one", "one, and right", "constant, and right"],
)
def test_batches_with_nothing_left_to_learn_have_a_finite_gradient(predicted, true, expected):
    predicted = torch.tensor(predicted, requires_grad=True)
    loss = root_mean_square_loss(predicted, torch.tensor(true))
    loss.backward()
    assert loss.item() == pytest.approx(expected)
    assert predicted.grad.isfinite().all()


def test_samples_that_nobody_rated_get_no_gradient():
    predicted, true, _ = some(torch.float32)
    predicted.requires_grad_()
    root_mean_square_loss(predicted, true).backward()
    assert torch.equal(predicted.grad == 0, true.isnan())


def test_values_in_half_precision_are_measured_in_single_precision():
    predicted, true, _ = some(torch.float32)
    assert root_mean_square_loss(predicted.bfloat16(), true).dtype == torch.float32
