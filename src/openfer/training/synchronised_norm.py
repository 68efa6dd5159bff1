"""Batch normalisation by the statistics of the whole batch, of which every process has its own rows.

torch's ``SyncBatchNorm`` does the same on GPUs alone; this one also works on a CPU.
"""

from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor

from openfer.training import ranks


def synchronised_norm(
    own: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    momentum: float,
    eps: float,
    rows: int,
) -> Tensor:
    """Normalise this process's rows, as :func:`torch.nn.functional.batch_norm` does in training.

    Args:
        own: this process's rows, (n, C, ...).
        weight: (C,).
        bias: (C,).
        running_mean: (C,); moved in place.
        running_var: (C,); moved in place.
        momentum: share of the new statistics in the running ones.
        eps: added to the variance.
        rows: of the whole batch.

    Returns:
        Of the shape and type of ``own``.
    """
    running = (running_mean, running_var, momentum)
    return cast(Tensor, _Norm.apply(own, weight, bias, running, eps, rows))


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, own: Tensor, weight: Tensor | None, bias: Tensor | None, running: Any, eps: float, rows: int
    ) -> Tensor:
        mean, variance = _statistics(own, rows)
        ctx.values = own.numel() // own.shape[1]  # of a channel, in this process's rows and in the whole batch
        ctx.whole_values = ctx.values // len(own) * rows
        running_mean, running_var, momentum = running
        if running_mean is not None:
            unbiased = variance * (ctx.whole_values / (ctx.whole_values - 1))
            running_mean.lerp_(mean.to(running_mean), momentum)
            running_var.lerp_(unbiased.to(running_var), momentum)
        ctx.save_for_backward(own, weight, mean, torch.rsqrt(variance + eps))
        ctx.eps, ctx.has_bias = eps, bias is not None
        return torch.batch_norm(own, weight, bias, mean, variance, False, 0.0, eps, False)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        own, weight, mean, scale = ctx.saved_tensors
        precise, values, factor = gradient.to(mean.dtype), own.to(mean.dtype), scale
        if weight is not None:
            weight = weight.to(mean.dtype)
            factor = scale * weight
        # torch's kernel takes this process's rows for the whole batch: its sums are right, and its input's gradient
        # lacks the difference between the means over these rows and those over the batch
        of_own, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            precise, values, weight, None, None, mean, scale, True, ctx.eps, [True, True, True]
        )
        sums = torch.stack([of_bias, of_weight])
        whole = sums.clone()
        dist.all_reduce(whole)
        by_bias, by_weight = factor * (sums / ctx.values - whole / ctx.whole_values)
        slope = by_weight * scale
        shape = (1, -1, *[1] * (own.dim() - 2))
        of_own.add_(torch.addcmul((by_bias - slope * mean).view(shape), values, slope.view(shape)))
        return (
            of_own.to(own.dtype),
            of_weight if weight is not None else None,
            of_bias if ctx.has_bias else None,
            None,
            None,
            None,
        )


def _statistics(own: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """Return mean and variance of each channel of the whole batch, float32 or better."""
    precise = own.to(torch.promote_types(own.dtype, torch.float32))
    means, variances = ranks.gathered(torch.stack(torch.batch_norm_update_stats(precise, None, None, 0.0))).unbind(1)
    parts = [size / rows for size in ranks.shares(rows)]  # numbers, for which a GPU need not wait
    mean = _mixed(parts, means)
    return mean, _mixed(parts, variances + (means - mean).square())


def _mixed(parts: list[float], values: Tensor) -> Tensor:
    return torch.stack([part * own for part, own in zip(parts, values, strict=True)]).sum(0)
