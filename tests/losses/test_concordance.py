import math

import pytest
import torch
from torchmetrics.functional import concordance_corrcoef

from openfer.losses.concordance import concordance, concordance_loss

NAN = float("nan")


def coefficient(pairs):
    """Lin's formula with loops over (x, y, weight)."""
    whole = sum(w for _, _, w in pairs)
    mean_x = sum(w * x for x, _, w in pairs) / whole
    mean_y = sum(w * y for _, y, w in pairs) / whole
    var_x = sum(w * (x - mean_x) ** 2 for x, _, w in pairs) / whole
    var_y = sum(w * (y - mean_y) ** 2 for _, y, w in pairs) / whole
    cov = sum(w * (x - mean_x) * (y - mean_y) for x, y, w in pairs) / whole
    return 2 * cov / (var_x + var_y + (mean_x - mean_y) ** 2)


def naive(predicted, true, weights):
    terms = []
    for column in range(len(predicted[0])):
        rows = zip(predicted, true, weights, strict=True)
        pairs = [(x[column], y[column], w) for x, y, w in rows if not math.isnan(y[column])]
        terms.append(sum(w for *_, w in pairs) / len(pairs) * (1 - coefficient(pairs)))
    return sum(terms) / len(terms)


def some(dtype, count=9):
    generator = torch.Generator().manual_seed(0)
    predicted, noise = torch.randn(2, count, 2, dtype=dtype, generator=generator)
    true = 0.5 * predicted + 0.3 * noise + 0.2
    true[1, 0] = true[4] = NAN
    return predicted, true, torch.rand(count, dtype=dtype, generator=generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_one_minus_lins_coefficient_of_the_rated_samples_written_as_a_loop(dtype, weighted):
    predicted, true, weights = some(dtype)
    expected = naive(predicted.tolist(), true.tolist(), weights.tolist() if weighted else [1.0] * len(true))
    found = concordance_loss(predicted, true, weights if weighted else None)
    assert found.dtype == dtype
    assert found.item() == pytest.approx(expected, rel=1e-5 if dtype == torch.float32 else 1e-12)


def test_a_sample_of_weight_zero_counts_like_one_that_is_not_there_but_for_the_share():
    predicted, true, _ = some(torch.float64)
    weights = torch.ones(9, dtype=torch.float64)
    weights[6:] = 0
    left, share = concordance_loss(predicted[:6], true[:6]), torch.tensor([4 / 7, 5 / 8], dtype=torch.float64)
    by_dimension = 1 - concordance(predicted[:6], true[:6])
    assert by_dimension.mean().item() == pytest.approx(left.item())
    assert concordance_loss(predicted, true, weights).item() == pytest.approx((share * by_dimension).mean().item())


def test_the_coefficient_is_torchmetrics_but_for_its_division_by_n_minus_one():
    generator = torch.Generator().manual_seed(1)
    predicted, noise = torch.randn(2, 2000, 2, generator=generator, dtype=torch.float64)
    true = 0.7 * predicted + 0.5 * noise + 0.3
    torch.testing.assert_close(concordance(predicted, true), concordance_corrcoef(predicted, true), rtol=1e-3, atol=0)
    centred = true - true.mean(0) + predicted.mean(0)  # with equal means the divisor cancels
    torch.testing.assert_close(concordance(predicted, centred), concordance_corrcoef(predicted, centred))


def test_perfect_agreement_costs_nothing_and_perfect_disagreement_two():
    values = torch.tensor([[-0.5, 0.1], [0.5, -0.1], [0.0, 0.0]])
    assert concordance_loss(values, values).item() == pytest.approx(0, abs=1e-6)
    assert concordance_loss(-values, values).item() == pytest.approx(2, abs=1e-6)


@pytest.mark.parametrize(
    ("predicted", "true", "expected"),
    [
        ([[0.3, 0.1], [0.2, 0.5]], [[NAN, NAN], [NAN, NAN]], 0.0),
        ([[0.3, 0.1], [0.2, 0.5]], [[0.1, 0.4], [NAN, NAN]], 1.0),
        ([[0.1, 0.4], [0.2, 0.5]], [[0.1, 0.4], [NAN, NAN]], 1.0),
        ([[0.3, 0.3], [0.3, 0.3]], [[0.1, 0.4], [0.5, -0.5]], 1.0),
        ([[0.3, 0.3], [0.3, 0.3]], [[0.3, 0.3], [0.3, 0.3]], 1.0),
        ([[0.3, 0.1], [0.2, 0.5]], [[NAN, 0.4], [NAN, NAN]], 0.5),
    ],
    ids=["none", "one", "one, and right", "constant", "constant, and right", "one in one dimension"],
)
def test_batches_without_anything_to_correlate_have_a_value_and_a_finite_gradient(predicted, true, expected):
    predicted = torch.tensor(predicted, requires_grad=True)
    loss = concordance_loss(predicted, torch.tensor(true))
    loss.backward()
    assert loss.item() == pytest.approx(expected)
    assert predicted.grad.isfinite().all()


def test_samples_that_nobody_rated_get_no_gradient():
    predicted, true, _ = some(torch.float32)
    predicted.requires_grad_()
    concordance_loss(predicted, true).backward()
    assert torch.equal(predicted.grad == 0, true.isnan())


def test_values_in_half_precision_are_measured_in_single_precision():
    predicted, true, _ = some(torch.float32)
    assert concordance_loss(predicted.bfloat16(), true).dtype == torch.float32
