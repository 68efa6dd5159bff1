"""The product of matrices is the paper's mean of products."""

import pytest
import torch

from openfer.nn.landmark_attention import attended_features, strongest


def naive(features, maps):
    """Multiply each map with all channels, average, and keep the largest: the B x M x C x h x w products are made."""
    return (features[:, None] * maps[:, :, None]).mean((3, 4))


def case(dtype, points=24, channels=2048, cells=14):
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(2, channels, cells, cells, generator=generator, dtype=dtype)
    return features, torch.rand(2, points, cells, cells, generator=generator, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_fused_attention_is_the_naive_one(dtype):
    features, maps = case(dtype)
    torch.testing.assert_close(attended_features(features, maps), naive(features, maps))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_its_gradient_is_the_naive_one_s(dtype):
    features, maps = case(dtype, points=5, channels=7, cells=4)
    gradients = []
    for attend in (attended_features, naive):
        own = features.clone().requires_grad_()
        strongest(attend(own, maps)).square().sum().backward()
        gradients.append(own.grad)
    torch.testing.assert_close(*gradients)


def test_one_value_by_hand():
    features = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    maps = torch.tensor([[[[1.0, 0.0], [0.0, 0.5]], [[0.0, 0.0], [1.0, 0.0]]]])
    attended = attended_features(features, maps)
    assert attended.tolist() == [[[(1 + 2) / 4], [3 / 4]]]
    assert strongest(attended).tolist() == [[3 / 4]]


def test_a_zero_map_never_wins_against_a_visible_one_and_alone_gives_zero():
    features, maps = case(torch.float32, points=3, channels=9, cells=4)
    dropped = maps.clone()
    dropped[:, 1:] = 0
    torch.testing.assert_close(strongest(attended_features(features, dropped)), naive(features, maps[:, :1])[:, 0])
    assert strongest(attended_features(features, torch.zeros_like(maps))).abs().max() == 0
