import math

import pytest
import torch

from openfer.nn.channel_attention import EfficientChannelAttention, adaptive_kernel
from openfer.nn.complexity import count_parameters
from openfer.nn.eca_resnet import ECABasicBlock, ECAResNet18Trunk
from openfer.nn.resnet import ResNet18Trunk


@pytest.mark.parametrize(("channels", "length"), [(64, 3), (128, 5), (256, 5), (512, 5)])
def test_the_adaptive_kernel_is_the_papers(channels, length):
    assert adaptive_kernel(channels) == length
    assert EfficientChannelAttention(channels, "adaptive").conv.kernel_size == (length,)


def test_each_channel_is_weighed_by_its_neighbours_means():
    torch.manual_seed(0)
    attention, maps = EfficientChannelAttention(6, 3), torch.randn(2, 6, 4, 5)
    kernel = attention.conv.weight.flatten().tolist()
    found = attention(maps)
    for sample in range(2):
        means = [0.0, *(float(maps[sample, c].mean()) for c in range(6)), 0.0]
        for channel in range(6):
            answer = sum(kernel[offset] * means[channel + offset] for offset in range(3))
            expected = maps[sample, channel] / (1 + math.exp(-answer))
            torch.testing.assert_close(found[sample, channel], expected)


@pytest.mark.parametrize(("kernel", "parameters"), [(3, 11_176_536), ("adaptive", 11_176_548)])
def test_the_trunk_has_the_parameters_of_the_paper(kernel, parameters):
    assert count_parameters(ECAResNet18Trunk(kernel)) == parameters


def test_every_block_attends_between_its_normalisation_and_the_residual_sum():
    torch.manual_seed(0)
    trunk = ECAResNet18Trunk().eval()
    blocks = [block for stage in (trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4) for block in stage]
    assert len(blocks) == 8
    for block in blocks:
        assert isinstance(block, ECABasicBlock)
        x = torch.randn(2, block.conv1.in_channels, 8, 8)
        residual = x if block.downsample is None else block.downsample(x)
        out = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x)))))
        weights = block.eca.conv(out.mean((2, 3))[:, None]).sigmoid()[:, 0, :, None, None]
        torch.testing.assert_close(block(x), torch.relu(out * weights + residual))


def test_plain_weights_fill_all_but_the_attention():
    trunk, plain = ECAResNet18Trunk(), ResNet18Trunk()
    missing, unexpected = trunk.load_state_dict(plain.state_dict(), strict=False)
    assert unexpected == []
    assert len(missing) == 8
    assert all(name.endswith("eca.conv.weight") for name in missing)
