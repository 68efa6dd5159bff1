"""The product of matrices is the paper's mean of products."""

import pytest
import torch

from openfer.nn.landmark_attention import attended_features, strongest


def naive(features, maps):
    """Multiply each map with all channels, average, and keep the largest: the B x M x C x h x w products are made."""
    return (features[:, None] * maps[:, :, None]).mean((3, 4))


def by_loops(features, maps):
    """The weighted mean of every channel over the cells, for every map, one number after the other."""
    found = torch.zeros(len(features), maps.shape[1], features.shape[1], dtype=features.dtype)
    for face in range(len(features)):
        for point, weights in enumerate(maps[face]):
            for channel, values in enumerate(features[face]):
                pairs = list(zip(weights.flatten().tolist(), values.flatten().tolist(), strict=True))
                total = sum(weight for weight, _ in pairs)
                found[face, point, channel] = sum(w * v for w, v in pairs) / total if total else 0.0
    return found


def all_kept(maps):
    return torch.ones(maps.shape[:2], dtype=torch.bool)


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
        strongest(attend(own, maps), all_kept(maps)).square().sum().backward()
        gradients.append(own.grad)
    torch.testing.assert_close(*gradients)


def test_one_value_by_hand():
    features = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    maps = torch.tensor([[[[1.0, 0.0], [0.0, 0.5]], [[0.0, 0.0], [1.0, 0.0]]]])
    attended = attended_features(features, maps)
    assert attended.tolist() == [[[(1 + 2) / 4], [3 / 4]]]
    assert strongest(attended, torch.tensor([[True, True]])).tolist() == [[3 / 4]]
    assert attended_features(features, maps, "weights").tolist() == [[[(1 + 2) / 1.5], [3]]]


def test_divided_by_their_weights_the_features_are_weighted_means():
    features, maps = case(torch.float64, points=3, channels=4, cells=3)
    maps[0, 1] = 0
    torch.testing.assert_close(attended_features(features, maps, "weights"), by_loops(features, maps))


def test_a_zero_map_never_wins_against_a_visible_one_and_alone_gives_zero():
    features, maps = case(torch.float32, points=3, channels=9, cells=4)
    dropped = maps.clone()
    dropped[:, 1:] = 0
    kept = torch.tensor([[True, False, False]]).expand(2, 3)
    for signed in (features, features - 0.5):  # of maps that are negative too, as dlib's normalised ones are
        found = strongest(attended_features(signed, dropped), kept)
        torch.testing.assert_close(found, naive(signed, maps[:, :1])[:, 0])
    nothing = strongest(attended_features(features, torch.zeros_like(maps)), ~all_kept(maps))
    assert nothing.tolist() == [[0.0] * 9] * 2


def test_of_maps_that_are_not_negative_the_zeros_of_dropped_points_are_the_papers():
    features, maps = case(torch.float32, points=3, channels=9, cells=4)
    maps[:, 2] = 0
    attended = attended_features(features, maps)
    assert torch.equal(strongest(attended, torch.tensor([[True, True, False]]).expand(2, 3)), attended.amax(1))
