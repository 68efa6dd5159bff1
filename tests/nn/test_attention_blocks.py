"""CBAM and the residual blocks of MA-Net, written out."""

import pytest
import torch
import torch.nn.functional as F

from openfer.nn.attention_block import AttentionBlock
from openfer.nn.cbam import CBAM
from openfer.nn.multi_scale_block import MultiScaleBlock


@pytest.fixture
def maps():
    return torch.randn(3, 32, 5, 6, generator=torch.Generator().manual_seed(0))


def test_cbam_weighs_channels_by_both_poolings_and_then_space_by_both(maps):
    torch.manual_seed(1)
    block = CBAM(32).train()
    first, _, last = block.channel

    def shared(pooled):
        return torch.relu(pooled @ first.weight.T + first.bias) @ last.weight.T + last.bias

    channel = torch.sigmoid(shared(maps.mean((2, 3))) + shared(maps.amax((2, 3))))
    weighted = maps * channel[:, :, None, None]
    both = torch.stack([weighted.amax(1), weighted.mean(1)], dim=1)
    seen = F.conv2d(both, block.spatial[0].weight, padding=3)
    spatial = torch.sigmoid((seen - seen.mean()) / (seen.var(correction=0) + 1e-5).sqrt())
    found = block(maps)
    torch.testing.assert_close(found.channel, channel)
    torch.testing.assert_close(found.spatial, spatial)
    torch.testing.assert_close(found.maps, weighted * spatial)


def test_the_statistics_of_the_spatial_gate_are_the_public_codes_slow_ones_unless_asked_for_others():
    assert CBAM(32).spatial[1].momentum == 0.01
    assert AttentionBlock(32, 32, gate_momentum=0.1).cbam.spatial[1].momentum == 0.1


def test_gates_keep_all_digits_of_single_precision_under_autocast_and_maps_stay_as_they_are(maps):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = CBAM(32)(maps.bfloat16())
    assert found.maps.dtype == torch.bfloat16
    for gate in (found.channel, found.spatial):
        assert gate.dtype == torch.float32
        assert not torch.equal(gate, gate.bfloat16().float())


@pytest.mark.parametrize(("outputs", "stride"), [(32, 1), (64, 2)])
def test_the_attention_block_attends_before_the_shortcut_is_added(maps, outputs, stride):
    torch.manual_seed(1)
    block = AttentionBlock(32, outputs, stride).eval()
    residual = block.bn2(block.conv2(F.relu(block.bn1(block.conv1(maps)))))
    identity = maps if stride == 1 else block.downsample(maps)
    torch.testing.assert_close(block(maps), F.relu(block.cbam(residual).maps + identity))
    assert (block.downsample is None) == (stride == 1)


def test_one_chain_of_the_multi_scale_block_runs_up_and_the_other_down(maps):
    torch.manual_seed(1)
    block = MultiScaleBlock(32, 32).eval()
    quarters = F.relu(block.bn1(block.conv1(maps))).split(8, dim=1)
    up, down = block.chains
    ups, downs = [up[0](quarters[0])], [down[3](quarters[3])]
    for scale in (1, 2, 3):
        ups.append(up[scale](quarters[scale] + F.relu(ups[-1])))
        downs.append(down[3 - scale](quarters[3 - scale] + F.relu(downs[-1])))
    expected = F.relu(torch.cat(ups, 1) + torch.cat(downs[::-1], 1) + maps)
    torch.testing.assert_close(block(maps), expected)


def test_the_first_quarter_reaches_the_last_by_the_first_chain_and_not_by_the_second():
    """The public code of the diversified version lets both chains run from the first quarter to the last."""
    torch.manual_seed(1)
    block = MultiScaleBlock(8, 8).eval()
    with torch.no_grad():
        for step in block.chains[0]:
            step[0].weight.zero_()
    image = torch.randn(1, 8, 4, 4, requires_grad=True)
    block.conv1.register_forward_hook(lambda *_: image)
    last = block(torch.zeros(1, 8, 4, 4))[:, 6:].sum()
    (gradient,) = torch.autograd.grad(last, image)
    assert gradient[:, :2].abs().sum() == 0
    assert gradient[:, 6:].abs().sum() > 0


def test_the_multi_scale_block_halves_by_its_first_convolution():
    assert MultiScaleBlock(16, 32, 2)(torch.randn(2, 16, 8, 8)).shape == (2, 32, 4, 4)
