"""Losses of reconstructions against loops; targets are constants."""

import pytest
import torch

from openfer.losses.reconstruction import level_losses, perceptual_losses


def squared(one, other):
    values = list(zip(one.flatten().tolist(), other.flatten().tolist(), strict=True))
    return sum((a - b) ** 2 for a, b in values) / len(values)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_each_level_counts_by_its_weight_and_its_number_of_elements(dtype):
    torch.manual_seed(0)
    image, target = torch.rand(2, 3, 1, 6, 6, dtype=dtype)
    levels, targets = ([torch.randn(3, c, s, s, dtype=dtype) for c, s in ((2, 3), (4, 2))] for _ in range(2))
    found = level_losses(image, target, levels, targets, 4.0, (1.0, 0.5))
    assert list(found) == ["image", "level_1", "level_2"]
    assert found["image"].item() == pytest.approx(4 * squared(image, target), rel=1e-5)
    assert found["level_1"].item() == pytest.approx(squared(levels[0], targets[0]), rel=1e-5)
    assert found["level_2"].item() == pytest.approx(0.5 * squared(levels[1], targets[1]), rel=1e-5)


def test_what_is_perceived_is_compared_layer_by_layer_and_never_moves_the_original():
    torch.manual_seed(0)
    own = [torch.randn(2, 3, 2, 2, requires_grad=True) for _ in range(2)]
    target = [torch.randn(2, 3, 2, 2, requires_grad=True) for _ in range(2)]
    found = perceptual_losses(own, target, (100.0, 0.1))
    assert found["perceptual_1"].item() == pytest.approx(100 * squared(own[0], target[0]), rel=1e-5)
    assert found["perceptual_2"].item() == pytest.approx(0.1 * squared(own[1], target[1]), rel=1e-5)
    sum(found.values()).backward()
    assert all(one.grad is not None for one in own)
    assert all(one.grad is None for one in target)
