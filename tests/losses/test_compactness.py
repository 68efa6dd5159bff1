import pytest
import torch

from openfer.losses.compactness import compactness_loss


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_its_equation_written_as_loops(dtype):
    torch.manual_seed(0)
    latent, centres = torch.randn(4, 3, 5, dtype=dtype), torch.randn(3, 5, dtype=dtype)
    expected = 0.0
    for sample in latent.tolist():
        for feature, centre in zip(sample, centres.tolist(), strict=True):
            expected += sum((value - middle) ** 2 for value, middle in zip(feature, centre, strict=True)) / 4
    found = compactness_loss(latent, centres)
    assert found.dtype == dtype
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_is_zero_at_the_centres_and_least_for_the_mean():
    torch.manual_seed(0)
    latent = torch.randn(6, 2, 4)
    assert compactness_loss(latent[:1].expand(3, -1, -1), latent[0]).item() == 0
    at_mean = compactness_loss(latent, latent.mean(0))
    assert all(at_mean < compactness_loss(latent, latent.mean(0) + shift) for shift in (0.1, -0.1))


def test_moves_features_and_centres_towards_each_other():
    latent = torch.ones(2, 1, 3, requires_grad=True)
    centres = torch.zeros(1, 3, requires_grad=True)
    compactness_loss(latent, centres).backward()
    assert latent.grad is not None
    assert centres.grad is not None
    assert (latent.grad > 0).all()
    assert (centres.grad < 0).all()


def test_half_precision_is_measured_in_single_precision():
    latent = torch.randn(8, 9, 128).bfloat16()
    found = compactness_loss(latent, torch.zeros(9, 128))
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(latent.double().square().sum((1, 2)).mean().item(), rel=1e-5)
