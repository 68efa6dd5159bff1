import pytest
import torch

from openfer.nn.complexity import count_parameters
from openfer.nn.opponents import Discriminator, MutualInformationEstimator, frozen

SLOPE = 0.1


def leaky(x):
    return torch.where(x > 0, x, SLOPE * x)


def test_the_opponents_have_the_parameters_of_the_paper():
    assert count_parameters(Discriminator(0.01)) == 73_792
    assert count_parameters(MutualInformationEstimator(0.01)) == 16_513


def test_the_discriminator_is_four_products_with_a_leaky_relu_after_all_but_the_last():
    torch.manual_seed(0)
    network, feature = Discriminator(SLOPE), torch.randn(5, 128)
    first, second, third, last = network.parameters()
    expected = leaky(leaky(leaky(feature @ first.T) @ second.T) @ third.T) @ last.T
    assert (expected < 0).any()  # a leaky ReLU on the answer would show
    assert torch.allclose(network(feature), expected, atol=1e-6)


def test_the_estimator_has_a_leaky_relu_after_both_layers_the_output_included():
    torch.manual_seed(0)
    network, one, other = MutualInformationEstimator(SLOPE), torch.randn(5, 128), torch.randn(5, 128)
    weight, bias, last_weight, last_bias = network.parameters()
    inner = leaky(torch.cat([one, other], dim=1) @ weight.T + bias) @ last_weight.T + last_bias
    assert (inner < 0).any()
    assert torch.allclose(network(one, other), leaky(inner), atol=1e-6)


def test_a_frozen_network_passes_gradients_to_its_input_and_keeps_none():
    network, feature = Discriminator(0.01), torch.randn(3, 128, requires_grad=True)
    answer = frozen(network)(feature)
    answer.sum().backward()
    assert torch.equal(answer, network(feature))
    assert feature.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("network", [Discriminator(0.01), MutualInformationEstimator(0.01)])
def test_opponents_answer_in_single_precision_under_autocast(network):
    inputs = [torch.randn(2, 128)] * (2 if isinstance(network, MutualInformationEstimator) else 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        answer = network(*inputs)
    assert answer.dtype == torch.float32
    assert torch.equal(answer, network(*inputs))
