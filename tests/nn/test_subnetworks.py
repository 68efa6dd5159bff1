import pytest
import torch
import torch.nn.functional as F

from openfer.errors import ParameterError
from openfer.nn import disturbance_subnetwork, expression_subnetwork
from openfer.nn.complexity import count_parameters
from openfer.nn.disturbance_subnetwork import DisturbanceSubnetwork
from openfer.nn.expression_subnetwork import ExpressionSubnetwork
from openfer.nn.mask_attention import MaskAttentionBlock
from openfer.nn.pooling import average_cells, concatenate_levels, have_papers_size
from openfer.nn.resnet import ResNet18Trunk


def random_taps(size, count=2):
    widths = [-(-size // 4), -(-size // 4), -(-size // 8), -(-size // 16), -(-size // 32)]
    return [torch.randn(count, c, w, w) for c, w in zip((64, 64, 128, 256, 512), widths, strict=True)]


def random_attentive_maps(size):
    widths = [-(-size // step) for step in (4, 8, 16, 32, 32)]
    return [torch.randn(2, c, w, w) for c, w in zip((64, 128, 256, 512, 512), widths, strict=True)]


@pytest.fixture(scope="module")
def networks():
    return ResNet18Trunk().eval(), ExpressionSubnetwork(7, 0.5).eval(), DisturbanceSubnetwork(6, 0.5).eval()


def test_every_network_has_the_parameters_of_the_paper(networks):
    assert [count_parameters(network) for network in networks] == [11_176_512, 5_060_955, 4_372_697]
    blocks = networks[1].attention.blocks
    assert [count_parameters(block) for block in blocks] == [41_474, 78_532, 312_708, 1_248_004, 2_625_540]


def test_the_taps_at_224_pixels_are_those_of_the_paper(networks):
    with torch.no_grad():
        taps = networks[0](torch.zeros(1, 3, 224, 224))
    assert [tuple(tap.shape[1:]) for tap in taps] == [
        (64, 56, 56),
        (64, 56, 56),
        (128, 28, 28),
        (256, 14, 14),
        (512, 7, 7),
    ]


@pytest.mark.parametrize("size", [64, 72, 80, 96, 112, 128])
def test_other_sizes_give_taps_attentive_maps_and_features_of_matching_shapes(networks, size):
    trunk, expression, disturbance = networks
    with torch.no_grad():
        taps = trunk(torch.zeros(1, 3, size, size))
        seen, disturbed = expression(taps), disturbance(taps)
    assert [tap.shape for tap in taps] == [tap.shape for tap in random_taps(size, 1)]
    assert [block.attentive.shape for block in disturbed.blocks] == [tap.shape for tap in [*taps[1:], taps[-1]]]
    for part in ("mask", "seen"):
        assert [getattr(block, part).shape for block in disturbed.blocks] == [tap.shape for tap in taps]
    assert seen.attentive.shape == (1, 1472, *taps[-1].shape[-2:])
    assert (seen.logits.shape, seen.feature.shape) == ((1, 7), (1, 128))
    assert (disturbed.feature.shape, disturbed.importance.shape) == ((1, 128), (1, 6))


def test_images_too_small_for_a_two_by_two_map_are_refused_with_the_size_to_take():
    with pytest.raises(ParameterError, match=r"32 x 48 pixels.*33 or more"):
        ResNet18Trunk()(torch.zeros(1, 3, 32, 48))


def test_at_224_pixels_pooling_is_the_papers_to_the_letter():
    maps = random_attentive_maps(224)
    literal = [F.max_pool2d(maps[0], 10, 7), F.max_pool2d(maps[1], 8, 3), F.max_pool2d(maps[2], 2, 2), maps[3], maps[4]]
    assert have_papers_size(maps)
    assert torch.equal(concatenate_levels(maps), torch.cat(literal, dim=1))
    assert torch.equal(average_cells(maps[4], 2, literal=True), F.avg_pool2d(maps[4], 3).flatten(1))
    assert torch.equal(average_cells(maps[4], 1, literal=True), F.avg_pool2d(maps[4], 6).flatten(1))


def test_at_224_pixels_the_last_row_and_column_are_ignored():
    maps = random_attentive_maps(224)[4]
    changed = maps.clone()
    changed[:, :, -1, :], changed[:, :, :, -1] = 100, -100
    for cells in (1, 2):
        before, after = (average_cells(level, cells, literal=True) for level in (maps, changed))
        assert torch.equal(after, before)


@pytest.mark.parametrize("size", [96, 200])
def test_at_other_sizes_every_cell_counts(size):
    maps = random_attentive_maps(size)
    pooled = concatenate_levels(maps)
    assert torch.equal(pooled[:, :64].amax((2, 3)), maps[0].amax((2, 3)))
    assert torch.equal(pooled[:, 448:960], maps[3])
    assert not have_papers_size(maps)
    assert torch.equal(average_cells(maps[4], 1, literal=False), F.adaptive_avg_pool2d(maps[4], 1).flatten(1))


@pytest.mark.parametrize(("size", "literal"), [(200, False), (224, True)])
def test_both_branches_pool_as_the_paper_at_224_pixels_and_not_at_200_whose_last_map_is_as_large(
    networks, size, literal, monkeypatch
):
    asked = []

    def averaging(maps, cells, literal):
        asked.append((tuple(maps.shape[-2:]), cells, literal))
        return average_cells(maps, cells, literal=literal)

    monkeypatch.setattr(expression_subnetwork, "average_cells", averaging)
    monkeypatch.setattr(disturbance_subnetwork, "average_cells", averaging)
    taps = random_taps(size, 1)
    with torch.no_grad():
        networks[1](taps), networks[2](taps)
    assert asked == [((7, 7), 2, literal), ((7, 7), 1, literal)]


def test_a_block_is_equations_10_and_11():
    torch.manual_seed(0)
    block = MaskAttentionBlock(4, 6, first=False, halve=True).eval()
    tap, previous = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)
    delta_tap, delta_previous = block.mixing.softmax(0)
    norm_in, _, conv_in, norm_mask, _ = block.mask
    seen = delta_tap * tap + delta_previous * previous
    mask = torch.sigmoid(norm_mask(conv_in(F.prelu(norm_in(seen), torch.tensor([0.25])))))
    conv_out, norm_out, *_ = block.transform
    expected = F.max_pool2d(F.prelu(norm_out(conv_out(mask * tap)), torch.tensor([0.25])), 3, 2, 1)
    found = block(tap, previous)
    for own, wanted in zip(found, (expected, mask, seen), strict=True):
        torch.testing.assert_close(own, wanted, atol=1e-6, rtol=1e-5)
    assert (round(delta_tap.item(), 3), round(delta_previous.item(), 3)) == (0.269, 0.731)


def test_under_autocast_the_deltas_are_rounded_like_any_weight_and_learn_in_single_precision():
    torch.manual_seed(0)
    block = MaskAttentionBlock(4, 6, first=False, halve=True)
    tap, previous = torch.randn(2, 2, 4, 8, 8).bfloat16().unbind()
    seen = {}
    block.mask.register_forward_pre_hook(lambda _, inputs: seen.update(mixed=inputs[0]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        block(tap, previous).attentive.float().sum().backward()
    delta = block.mixing.detach().softmax(0)[1]
    assert torch.equal(seen["mixed"], torch.lerp(tap, previous, delta.bfloat16()))
    assert abs(delta.bfloat16() - delta) < 2**-9
    assert block.mixing.dtype == block.mixing.grad.dtype == torch.float32
    assert block.mixing.grad.abs().min() > 0
