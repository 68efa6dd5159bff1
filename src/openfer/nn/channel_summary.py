"""Maximum and mean over channels, whose training step is also fast on the CPU."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def channel_summary(maps: Tensor) -> Tensor:
    """Return the maximum and the mean over channels, (B, 2, H, W), of maps (B, C, H, W).

    The gradient of the maximum goes to one channel, the one that was found. PyTorch's own backward passes write
    half a dozen maps of the size of the input, some of them in another memory layout than the input's, which makes
    their sum ten times as slow; here one is written, in the input's layout. Values and gradients are the same;
    compiled, or without gradients, PyTorch's own functions run.
    """
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():
        summary: Tensor = _ChannelSummary.apply(maps)
        return summary
    return torch.cat([maps.max(1, keepdim=True).values, maps.mean(1, keepdim=True)], dim=1)  # amax shares it out


class _ChannelSummary(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor) -> Tensor:
        largest, where = maps.max(1, keepdim=True)
        ctx.save_for_backward(where)
        ctx.channels = maps.shape[1]
        last = maps.is_contiguous(memory_format=torch.channels_last)
        ctx.layout = torch.channels_last if last else torch.contiguous_format
        return torch.cat([largest, maps.mean(1, keepdim=True)], dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (where,) = ctx.saved_tensors
        of_largest, of_mean = gradient[:, :1], gradient[:, 1:]
        of_maps = (of_mean / ctx.channels).expand(-1, ctx.channels, -1, -1).contiguous(memory_format=ctx.layout)
        return of_maps.scatter_add_(1, where, of_largest)
