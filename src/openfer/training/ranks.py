"""The processes that train one method together, and what they exchange; a process alone exchanges nothing.

Every process (rank) executes the same program on the same numbers. They divide two kinds of work: loading the samples
of a batch, and running its rows through the networks with convolutions (:mod:`openfer.training.sharding`).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import torch
import torch.distributed as dist
from torch import Tensor

_MESSAGE_BYTES = 16 * 2**20
"""Tensors are sent together until they have this size: few messages, and a copy of a part of them at a time."""


def count() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Return whether this process is the one that writes files and reports."""
    return not dist.is_initialized() or dist.get_rank() == 0


def divides(rows: int) -> bool:
    """Return whether the processes divide a batch of this many rows; each of them takes a smaller one whole."""
    return 1 < count() <= rows


def shares(rows: int) -> list[int]:
    """Return how many rows of a batch each process takes; they differ by one at most."""
    each, rest = divmod(rows, count())
    return [each + (rank < rest) for rank in range(count())]


def share(rows: int) -> slice:
    """Return the rows of a batch that this process takes."""
    sizes, rank = shares(rows), dist.get_rank()
    return slice(sum(sizes[:rank]), sum(sizes[: rank + 1]))


def joined(own: Tensor, rows: int) -> Tensor:
    """Return a batch, of which every process has its own rows; no gradient passes.

    Args:
        own: this process's rows, (n, ...), of any type.
        rows: of the batch.

    Returns:
        (rows, ...), in the memory layout of ``own``.
    """
    if own.dim() == 4 and own.is_contiguous(memory_format=torch.channels_last):
        return _joined(own.permute(0, 2, 3, 1), rows).permute(0, 3, 1, 2)
    return _joined(own, rows)


def gathered(own: Tensor) -> Tensor:
    """Return a tensor of every process, which all have one of the same shape, as (processes, ...)."""
    found = own.new_empty((count(), *own.shape))
    # as bytes, for not every backend sends every type
    places = [part.flatten().view(torch.uint8) for part in found]
    dist.all_gather(places, own.contiguous().flatten().view(torch.uint8))
    return found


def average(tensors: Sequence[Tensor]) -> None:
    """Replace tensors of one type by their means over the processes, in place."""
    for together in _messages(tensors) if count() > 1 else ():
        whole = torch.cat([tensor.reshape(-1) for tensor in together])
        dist.all_reduce(whole)
        parts = torch.split(whole.div_(count()), [tensor.numel() for tensor in together])
        for tensor, part in zip(together, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))


def _messages(tensors: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Yield the tensors in their order, as many at a time as one message takes."""
    message: list[Tensor] = []
    size = 0
    for tensor in tensors:
        message.append(tensor)
        size += tensor.nbytes
        if size >= _MESSAGE_BYTES:
            yield message
            message, size = [], 0
    if message:
        yield message


def align(tensors: Iterable[Tensor]) -> None:
    """Give all processes the first one's values, in place; sums on GPUs may differ between them by rounding."""
    for tensor in tensors if count() > 1 else ():
        sent = tensor.detach().contiguous()
        dist.broadcast(sent, src=0)
        tensor.detach().copy_(sent)


class _Whole(torch.autograd.Function):
    """Joins the rows of all processes, differentiably."""

    @staticmethod
    def forward(ctx: "torch.autograd.function.FunctionCtx", own: Tensor, rows: int) -> Tensor:
        ctx.rows = rows  # type: ignore[attr-defined]
        return joined(own, rows)

    @staticmethod
    def backward(ctx: "torch.autograd.function.FunctionCtx", gradient: Tensor) -> tuple[Tensor, None]:
        return gradient[share(ctx.rows)] * count(), None  # type: ignore[attr-defined]


class _Own(torch.autograd.Function):
    """Takes the rows of this process, differentiably."""

    @staticmethod
    def forward(ctx: "torch.autograd.function.FunctionCtx", whole: Tensor) -> Tensor:
        ctx.rows = len(whole)  # type: ignore[attr-defined]
        return whole[share(len(whole))].clone()

    @staticmethod
    def backward(ctx: "torch.autograd.function.FunctionCtx", gradient: Tensor) -> Tensor:
        return joined(gradient, ctx.rows).div(count())  # type: ignore[attr-defined]


def whole_rows(own: Tensor, rows: int) -> Tensor:
    """Join the rows of all processes as :func:`joined` does, and let gradients pass.

    All processes compute the same from the whole, so that each has the whole's gradient and takes its own rows of it.
    It is multiplied by the number of processes: the mean over the processes of a parameter's gradient then is the
    gradient, whether the parameter was used for own rows, for the whole, or for both.
    """
    return cast(Tensor, _Whole.apply(own, rows))


def own_rows(whole: Tensor) -> Tensor:
    """Take the rows of this process, and let gradients pass: the inverse of :func:`whole_rows`."""
    return cast(Tensor, _Own.apply(whole))


def _joined(own: Tensor, rows: int) -> Tensor:
    if not own.numel():
        return own.new_empty((rows, *own.shape[1:]))
    sizes = shares(rows)
    padded = own.new_zeros((sizes[0], *own.shape[1:]))
    padded[: len(own)] = own
    found = gathered(padded)
    if sizes[0] == sizes[-1]:
        return found.flatten(0, 1)
    return torch.cat([part[:size] for part, size in zip(found, sizes, strict=True)])
