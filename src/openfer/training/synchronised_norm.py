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
        values = own.numel() // own.shape[1] // len(own) * rows  # of a channel in the whole batch
        mean, variance = _statistics(own, rows)
        running_mean, running_var, momentum = running
        if running_mean is not None:
            running_mean.lerp_(mean.to(running_mean), momentum)
            running_var.lerp_((variance * (values / (values - 1))).to(running_var), momentum)
        ctx.save_for_backward(own, weight, mean, torch.rsqrt(variance + eps))
        ctx.values, ctx.has_bias = values, bias is not None
        return torch.batch_norm(own, weight, bias, mean, variance, False, 0.0, eps, False)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        own, weight, mean, scale = ctx.saved_tensors
        over, of_channel = _dimensions(own), (1, -1, *[1] * (own.dim() - 2))
        precise = gradient.to(mean.dtype)
        normalised = (own.to(mean.dtype) - mean.view(of_channel)).mul_(scale.view(of_channel))
        sums = torch.stack([precise.sum(over), (precise * normalised).sum(over)])
        of_bias, of_weight = sums.clone()
        dist.all_reduce(sums)
        by_mean, by_scale = (part.view(of_channel) for part in sums.div_(ctx.values))
        factor = (scale if weight is None else scale * weight.to(scale.dtype)).view(of_channel)
        of_own = normalised.mul_(by_scale).add_(by_mean).neg_().add_(precise).mul_(factor).to(own.dtype)
        return (
            of_own,
            None if weight is None else of_weight.to(weight.dtype),
            of_bias.to(gradient.dtype if weight is None else weight.dtype) if ctx.has_bias else None,
            None,
            None,
            None,
        )


def _statistics(own: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """Return mean and variance of each channel of the whole batch, float32 or better."""
    precise = own.to(torch.promote_types(own.dtype, torch.float32))
    variance, mean = torch.var_mean(precise, _dimensions(own), correction=0)
    means, variances = ranks.gathered(torch.stack([mean, variance])).unbind(1)
    parts = means.new_tensor(ranks.shares(rows))[:, None] / rows
    mean = (parts * means).sum(0)
    return mean, (parts * (variances + (means - mean).square())).sum(0)


def _dimensions(own: Tensor) -> list[int]:
    """Return all dimensions but the channels'."""
    return [number for number in range(own.dim()) if number != 1]
