import pytest
import torch
import torch.nn.functional as F

from openfer.nn.prelu import PReLU


@pytest.mark.parametrize("slope", [0.25, 0.0, -0.5, 1.5])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_those_of_the_library(slope, layout):
    torch.manual_seed(0)
    activation = PReLU()
    torch.nn.init.constant_(activation.weight, slope)
    x = torch.randn(2, 3, 4, 5).contiguous(memory_format=layout)
    x[0, 0, 0, 0] = 0
    x.requires_grad_()
    reference = activation.weight.detach().clone().requires_grad_()
    weights = torch.randn(2, 3, 4, 5)
    (activation(x) * weights).sum().backward()
    ours, x.grad = x.grad, None
    (F.prelu(x, reference) * weights).sum().backward()
    assert torch.equal(activation(x), F.prelu(x, reference))
    assert torch.allclose(ours, x.grad)
    assert torch.allclose(activation.weight.grad, reference.grad, atol=1e-5)


def test_gradients_agree_with_finite_differences():
    activation = PReLU().double()
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, _: activation(x), (x, activation.weight))


def test_a_frozen_slope_stays_frozen():
    activation = PReLU().requires_grad_(False)
    x = torch.randn(4, requires_grad=True)
    activation(x).sum().backward()
    assert activation.weight.grad is None
    assert x.grad is not None


def test_works_in_bfloat16_under_autocast():
    activation = PReLU()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = activation(torch.nn.functional.linear(torch.randn(4, 8), torch.randn(8, 8)))
    y.float().sum().backward()
    assert y.dtype == torch.bfloat16
    assert activation.weight.grad.dtype == torch.float32
