import math

import pytest
import torch

from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.losses.region_cross_entropy import region_cross_entropy


def naive(logits, labels):
    """Add up, over regions, the mean over labelled samples of -log softmax."""
    whole = 0.0
    for region in range(logits.shape[1]):
        terms = []
        for sample, label in enumerate(labels.tolist()):
            if label != -1:
                row = logits[sample, region].tolist()
                terms.append(math.log(sum(math.exp(z) for z in row)) - row[label])
        whole += sum(terms) / len(terms)
    return whole


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_the_sum_over_regions_written_as_a_loop(dtype):
    torch.manual_seed(0)
    logits, labels = torch.randn(5, 4, 3, dtype=dtype), torch.tensor([2, -1, 0, 1, 1])
    assert region_cross_entropy(logits, labels).item() == pytest.approx(naive(logits, labels), rel=1e-5)
    mean = region_cross_entropy(logits, labels, "mean").item()
    assert mean == pytest.approx(naive(logits, labels) / 4, rel=1e-5)


def test_each_region_s_gradient_is_that_of_its_own_cross_entropy():
    torch.manual_seed(0)
    logits, labels = torch.randn(3, 4, 5, requires_grad=True), torch.tensor([1, 4, 0])
    region_cross_entropy(logits, labels).backward()
    alone = logits.detach()[:, 2].clone().requires_grad_()
    torch.nn.functional.cross_entropy(alone, labels).backward()
    torch.testing.assert_close(logits.grad[:, 2], alone.grad)


def test_without_any_label_it_costs_nothing():
    assert region_cross_entropy(torch.randn(2, 4, 3), torch.tensor([-1, -1])).item() == 0


def test_every_region_is_compared_with_the_same_probabilities():
    torch.manual_seed(0)
    logits, truth = torch.randn(3, 4, 5), torch.rand(3, 5).softmax(1)
    expected = sum(masked_cross_entropy(logits[:, region], truth) for region in range(4))
    torch.testing.assert_close(region_cross_entropy(logits, truth), expected)
