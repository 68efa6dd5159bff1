import pytest
import torch

from openfer.nn.channel_summary import channel_summary


def plain(maps):
    return torch.stack([maps.max(1).values, maps.mean(1)], dim=1)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_and_gradients_are_those_of_the_library_in_the_layout_of_the_maps(layout, dtype):
    torch.manual_seed(0)
    maps = torch.randn(2, 5, 3, 4).to(dtype).contiguous(memory_format=layout).requires_grad_()
    weights = torch.randn(2, 2, 3, 4).to(dtype)
    (ours,) = torch.autograd.grad((channel_summary(maps) * weights).sum(), maps)
    (theirs,) = torch.autograd.grad((plain(maps) * weights).sum(), maps)
    assert torch.equal(channel_summary(maps), plain(maps))
    torch.testing.assert_close(ours, theirs)
    assert ours.is_contiguous(memory_format=layout)


def test_without_gradients_the_values_are_the_same():
    maps = torch.randn(2, 5, 3, 4)
    with torch.no_grad():
        assert torch.equal(channel_summary(maps), plain(maps))


def test_of_equal_channels_one_gets_the_gradient_of_the_maximum():
    maps = torch.zeros(1, 3, 1, 1, requires_grad=True)
    channel_summary(maps)[0, 0].sum().backward()
    assert sorted(maps.grad.flatten().tolist()) == [0, 0, 1]


def test_gradients_agree_with_finite_differences():
    maps = torch.randn(2, 4, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(channel_summary, (maps,))
