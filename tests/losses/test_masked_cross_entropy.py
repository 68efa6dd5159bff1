import math

import pytest
import torch

from openfer.losses.masked_cross_entropy import masked_cross_entropy


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_the_mean_over_labelled_samples_written_as_a_loop(dtype):
    torch.manual_seed(0)
    logits, labels = torch.randn(5, 3, dtype=dtype), torch.tensor([2, -1, 0, 1, -1])
    terms = []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        if label != -1:
            terms.append(math.log(sum(math.exp(z) for z in row)) - row[label])
    assert masked_cross_entropy(logits, labels).item() == pytest.approx(sum(terms) / 3, rel=1e-5)
    assert masked_cross_entropy(logits, labels, over="batch").item() == pytest.approx(sum(terms) / 5, rel=1e-5)


def test_a_batch_without_labels_costs_exactly_nothing_and_teaches_nothing():
    logits = torch.randn(4, 3, requires_grad=True)
    loss = masked_cross_entropy(logits, torch.full((4,), -1))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros(4, 3))


def test_unlabelled_samples_get_no_gradient():
    logits = torch.randn(3, 4, requires_grad=True)
    masked_cross_entropy(logits, torch.tensor([1, -1, 3])).backward()
    assert torch.equal(logits.grad[1], torch.zeros(4))
    assert logits.grad[0].abs().sum() > 0


def test_bfloat16_logits_are_measured_in_single_precision():
    assert masked_cross_entropy(torch.randn(2, 3).bfloat16(), torch.tensor([0, 1])).dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_of_samples_multiply_their_terms_and_not_their_number(dtype):
    torch.manual_seed(0)
    logits, labels = torch.randn(5, 3, dtype=dtype), torch.tensor([2, -1, 0, 1, -1])
    weights = torch.tensor([0.5, 7.0, 0.0, 2.0, 1.0], dtype=dtype)
    summed = 0.0
    for row, label, weight in zip(logits.tolist(), labels.tolist(), weights.tolist(), strict=True):
        if label != -1:
            summed += weight * (math.log(sum(math.exp(z) for z in row)) - row[label])
    assert masked_cross_entropy(logits, labels, weights).item() == pytest.approx(summed / 3, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_probabilities_of_classes_are_compared_as_in_a_loop_and_rows_of_zeros_do_not_count(dtype):
    torch.manual_seed(0)
    logits = torch.randn(4, 3, dtype=dtype)
    truth = torch.tensor([[0.7, 0.2, 0.1], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]], dtype=dtype)
    weights = torch.tensor([0.5, 7.0, 2.0, 1.0], dtype=dtype)
    terms = []
    for row, own in zip(logits.tolist(), truth.tolist(), strict=True):
        norm = math.log(sum(math.exp(z) for z in row))
        terms.append(sum(p * (norm - z) for z, p in zip(row, own, strict=True)))
    weighted = sum(term * weight for term, weight in zip(terms, weights.tolist(), strict=True))
    assert masked_cross_entropy(logits, truth).item() == pytest.approx(sum(terms) / 3, rel=1e-5)
    assert masked_cross_entropy(logits, truth, over="batch").item() == pytest.approx(sum(terms) / 4, rel=1e-5)
    assert masked_cross_entropy(logits, truth, weights).item() == pytest.approx(weighted / 3, rel=1e-5)


def test_a_sure_probability_costs_what_its_class_costs():
    torch.manual_seed(0)
    logits, labels = torch.randn(5, 3), torch.tensor([2, -1, 0, 1, -1])
    truth = torch.nn.functional.one_hot(labels.clamp_min(0), 3).float() * (labels != -1)[:, None]
    torch.testing.assert_close(masked_cross_entropy(logits, truth), masked_cross_entropy(logits, labels))
