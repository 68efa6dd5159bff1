import math

import pytest
import torch

from openfer.losses.adversarial import confusion_loss, discriminator_loss


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_discriminator_minimises_equation_8_written_as_loops(dtype):
    torch.manual_seed(0)
    prior, disturbance = torch.randn(5, 1, dtype=dtype), torch.randn(5, 1, dtype=dtype)
    expected = -sum(math.log(sigmoid(z)) for z in prior.flatten().tolist()) / 5
    expected -= sum(math.log(1 - sigmoid(z)) for z in disturbance.flatten().tolist()) / 5
    assert discriminator_loss(prior, disturbance).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_network_minimises_both_terms_with_exchanged_targets(dtype):
    torch.manual_seed(0)
    prior, disturbance = torch.randn(5, 1, dtype=dtype), torch.randn(5, 1, dtype=dtype)
    expected = -sum(math.log(sigmoid(z)) for z in disturbance.flatten().tolist()) / 5
    expected -= sum(math.log(1 - sigmoid(z)) for z in prior.flatten().tolist()) / 5
    assert confusion_loss(prior, disturbance).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_saturating_form_is_the_negative_of_equation_8_and_hardly_moves_what_the_discriminator_is_sure_of(dtype):
    torch.manual_seed(0)
    prior, disturbance = torch.randn(5, 1, dtype=dtype), torch.randn(5, 1, dtype=dtype)
    expected = sum(math.log(sigmoid(z)) for z in prior.flatten().tolist()) / 5
    expected += sum(math.log(1 - sigmoid(z)) for z in disturbance.flatten().tolist()) / 5
    assert confusion_loss(prior, disturbance, "saturating").item() == pytest.approx(expected, rel=1e-5)
    sure = {"prior": torch.full((1, 1), 9.0, requires_grad=True), "disturbance": torch.full((1, 1), -9.0)}
    moved = [
        torch.autograd.grad(confusion_loss(sure["prior"], sure["disturbance"], form), sure["prior"])[0].abs().item()
        for form in ("saturating", "non_saturating")
    ]
    assert moved == pytest.approx([1 - sigmoid(9.0), sigmoid(9.0)], rel=1e-3)


@pytest.mark.parametrize("loss", [confusion_loss, discriminator_loss])
def test_is_two_log_two_when_the_discriminator_cannot_tell(loss):
    assert loss(torch.zeros(3, 1), torch.zeros(3, 1)).item() == pytest.approx(2 * math.log(2))


@pytest.mark.parametrize("loss", [confusion_loss, discriminator_loss])
def test_stays_finite_when_the_discriminator_is_certain(loss):
    prior, disturbance = (torch.tensor([[200.0], [-200.0]], requires_grad=True) for _ in range(2))
    value = loss(prior, disturbance)
    value.backward()
    assert value.isfinite()
    assert prior.grad.isfinite().all()
    assert disturbance.grad.isfinite().all()


def test_the_two_objectives_pull_every_logit_in_opposite_directions():
    logits = torch.randn(2, 4, 1, requires_grad=True)
    towards_confusion = torch.autograd.grad(confusion_loss(*logits), logits)[0]
    towards_discrimination = torch.autograd.grad(discriminator_loss(*logits), logits)[0]
    assert (towards_confusion * towards_discrimination < 0).all()


@pytest.mark.parametrize("loss", [confusion_loss, discriminator_loss])
def test_bfloat16_logits_are_measured_in_single_precision(loss):
    assert loss(torch.ones(2, 1).bfloat16(), torch.ones(2, 1).bfloat16()).dtype == torch.float32
