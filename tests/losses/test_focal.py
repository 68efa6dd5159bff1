"""The focal loss against its equation, and what weights and missing labels do to it."""

import math

import pytest
import torch
import torch.nn.functional as F

from openfer.labels import MISSING
from openfer.losses.focal import focal_loss

LABELS = torch.tensor([2, 0, MISSING, 1, 2])


def drawn(dtype=torch.float64):
    torch.manual_seed(0)
    return torch.randn(5, 3, dtype=dtype) * 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0, 3.5])
@pytest.mark.parametrize("weights", [None, [1.0, 0.0, 5.0, 2.0, 0.5]])
def test_equals_its_equation_written_as_loops(dtype, gamma, weights):
    logits, expected = drawn(dtype), 0.0
    for row, label, weight in zip(logits.tolist(), LABELS.tolist(), weights or [1.0] * 5, strict=True):
        if label != MISSING:
            p = math.exp(row[label]) / sum(math.exp(value) for value in row)
            expected -= weight * (1 - p) ** gamma * math.log(p) / 4
    found = focal_loss(logits, LABELS, gamma, None if weights is None else torch.tensor(weights, dtype=dtype))
    assert found.dtype == dtype
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_gamma_zero_is_the_cross_entropy():
    expected = F.cross_entropy(drawn(), LABELS, ignore_index=MISSING)
    torch.testing.assert_close(focal_loss(drawn(), LABELS, 0.0), expected)


def test_a_sure_sample_has_a_finite_gradient_and_a_batch_without_labels_has_none():
    sure = torch.tensor([[200.0, 0.0, 0.0], [0.0, 1.0, 0.0]], requires_grad=True)
    focal_loss(sure, torch.tensor([0, 1]), 2.0).backward()
    assert sure.grad.isfinite().all()
    logits = drawn().requires_grad_()
    loss = focal_loss(logits, torch.full((5,), MISSING), 2.0)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_is_computed_in_single_precision_under_bfloat16():
    exact = focal_loss(drawn(torch.float32), LABELS, 2.0)
    rounded = focal_loss(drawn(torch.float32).bfloat16(), LABELS, 2.0)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=2e-2, atol=1e-2)
