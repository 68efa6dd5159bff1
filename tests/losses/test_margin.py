"""The margins against a loop over samples and classes, in angles."""

import math

import pytest
import torch

from openfer.losses.margin import margin_cross_entropy


def naive(cosines, labels, kind, margin, scale):
    losses = []
    for row, label in zip(cosines.double().tolist(), labels.tolist(), strict=True):
        if label < 0:
            continue
        shifted = list(row)
        theta = math.acos(row[label])
        if kind == "cosine":
            shifted[label] = row[label] - margin
        elif theta + margin <= math.pi:
            shifted[label] = math.cos(theta + margin)
        else:
            shifted[label] = row[label] - margin * math.sin(margin)
        exponentials = [math.exp(scale * value) for value in shifted]
        losses.append(-math.log(exponentials[label] / sum(exponentials)))
    return sum(losses) / len(losses) if losses else 0.0


def cosines(dtype, count=6, classes=5):
    torch.manual_seed(0)
    return torch.rand(count, classes, dtype=dtype) * 1.98 - 0.99


@pytest.mark.parametrize("kind", ["angular", "cosine"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("margin", [0.0, 0.35, 0.5])
def test_it_is_the_cross_entropy_of_angles_that_were_widened(kind, dtype, margin):
    found, labels = cosines(dtype), torch.tensor([0, 1, 2, 3, -1, 4])
    loss = margin_cross_entropy(found, labels, kind, margin, 8.0)
    assert loss.dtype == dtype
    assert loss.item() == pytest.approx(naive(found, labels, kind, margin, 8.0), rel=1e-5)


def test_beyond_pi_the_true_class_still_gains_by_coming_closer():
    far = torch.tensor([[-0.999, 0.0]], requires_grad=True)
    loss = margin_cross_entropy(far, torch.tensor([0]), "angular", 0.5, 8.0)
    assert loss.item() == pytest.approx(naive(far.detach(), torch.tensor([0]), "angular", 0.5, 8.0), rel=1e-5)
    loss.backward()
    assert far.grad[0, 0] < 0


@pytest.mark.parametrize("cosine", [-1.0, 1.0])
def test_the_gradient_is_finite_where_feature_and_weight_are_parallel(cosine):
    extreme = torch.tensor([[cosine, 0.0]], requires_grad=True)
    margin_cross_entropy(extreme, torch.tensor([0]), "angular", 0.5, 64.0).backward()
    assert extreme.grad.isfinite().all()


def test_a_margin_makes_the_same_answer_cost_more():
    found, labels = cosines(torch.float32), torch.arange(5).repeat(2)[:6]
    plain = margin_cross_entropy(found, labels, "cosine", 0.0, 8.0)
    assert all(margin_cross_entropy(found, labels, kind, 0.3, 8.0) > plain for kind in ("angular", "cosine"))


def test_a_batch_without_a_known_person_costs_nothing_and_moves_nothing():
    found = cosines(torch.float32).requires_grad_()
    loss = margin_cross_entropy(found, torch.full((6,), -1), "angular", 0.5, 64.0)
    loss.backward()
    assert loss.item() == 0
    assert not found.grad.any()


def test_half_precision_is_widened():
    found = cosines(torch.bfloat16)
    loss = margin_cross_entropy(found, torch.zeros(6, dtype=torch.int64), "angular", 0.5, 64.0)
    assert loss.dtype == torch.float32
