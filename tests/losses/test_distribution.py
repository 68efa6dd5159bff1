import pytest
import torch

from openfer.labels import MISSING
from openfer.losses.distribution import distribution_loss


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_its_equation_written_as_loops_over_the_labelled_samples(dtype):
    torch.manual_seed(0)
    weights, centres = torch.rand(5, 3, dtype=dtype), torch.rand(4, 3, dtype=dtype)
    labels = [2, 0, MISSING, 3, 2]
    expected = 0.0
    for sample, label in zip(weights.tolist(), labels, strict=True):
        if label != MISSING:
            centre = centres[label].tolist()
            expected += sum((value - middle) ** 2 for value, middle in zip(sample, centre, strict=True)) / 4
    found = distribution_loss(weights, centres, torch.tensor(labels))
    assert found.dtype == dtype
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_is_zero_without_labels_and_gives_a_gradient_of_zero():
    weights = torch.rand(2, 3, requires_grad=True)
    loss = distribution_loss(weights, torch.rand(4, 3), torch.full((2,), MISSING))
    loss.backward()
    assert loss.item() == 0
    assert weights.grad is not None
    assert weights.grad.abs().sum() == 0


def test_the_centre_of_another_class_gets_no_gradient():
    centres = torch.rand(3, 2, requires_grad=True)
    distribution_loss(torch.rand(4, 2), centres, torch.tensor([0, 2, 2, MISSING])).backward()
    assert centres.grad is not None
    assert (centres.grad.abs().sum(1) > 0).tolist() == [True, False, True]
