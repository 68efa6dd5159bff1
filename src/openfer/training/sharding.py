"""Networks that run on the rows of one process and answer for the whole batch.

A method's step sees whole batches, on one device as on several, so that its losses may compare any samples with each
other. Only what happens inside of a network is divided: a process runs its own rows through it, and all outputs are
joined behind it. Networks without convolutions cost little, and every process runs them on the whole batch.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map_only

from openfer.methods.contract import Method
from openfer.training import ranks
from openfer.training.synchronised_norm import synchronised_norm

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def shard_networks(module: nn.Module) -> None:
    """Let every sub-network with convolutions run on this process's rows, in place; names and state stay as they are.

    Batch normalisation takes the statistics of the whole batch, and dropout draws for the whole batch: the outputs are
    those of one process up to rounding. Every tensor that a network takes or gives has the samples in its first
    dimension.

    Args:
        module: a method; nothing happens where one process trains alone.
    """
    if ranks.count() == 1:
        return
    for child in module.children():
        # Neither a container nor a prerequisite, of which only parts are used, is ever called itself.
        if type(child).forward is nn.Module.forward or isinstance(child, Method):
            shard_networks(child)
        elif any(isinstance(part, _CONVOLUTIONS) for part in child.modules()):
            child.forward = partial(_sharded, child.forward)


def _sharded(forward: Callable[..., Any], *inputs: Any, **named: Any) -> Any:
    rows = len(next(leaf for leaf in tree_leaves((inputs, named)) if isinstance(leaf, Tensor)))
    if not ranks.divides(rows):
        return forward(*inputs, **named)
    own, own_named = tree_map_only(Tensor, _own_rows, (inputs, named))
    with _OfTheWholeBatch(rows):
        outputs = forward(*own, **own_named)
    return tree_map_only(Tensor, partial(_whole_rows, rows), outputs)


def _whole_rows(rows: int, own: Tensor) -> Tensor:
    whole = ranks.whole_rows(own, rows)
    whole.own_rows = own  # type: ignore[attr-defined]  # a next network takes them without another exchange
    return whole


def _own_rows(whole: Tensor) -> Tensor:
    known: Tensor | None = getattr(whole, "own_rows", None)
    return ranks.own_rows(whole) if known is None else known


class _Norm(NamedTuple):
    """The arguments of :func:`torch.nn.functional.batch_norm`."""

    input: Tensor
    running_mean: Tensor | None
    running_var: Tensor | None
    weight: Tensor | None = None
    bias: Tensor | None = None
    training: bool = False
    momentum: float = 0.1
    eps: float = 1e-5


class _Dropout(NamedTuple):
    """The arguments of :func:`torch.nn.functional.dropout`."""

    input: Tensor
    p: float = 0.5
    training: bool = True
    inplace: bool = False


class _OfTheWholeBatch(TorchFunctionMode):
    """Within it, batch normalisation and dropout of a process's rows are those of the whole batch."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the function, or what stands for it here."""
        named = kwargs or {}
        if func is F.batch_norm and (norm := _Norm(*args, **named)).training:
            return synchronised_norm(
                norm.input, norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.momentum, norm.eps,
                self._rows,
            )  # fmt: skip
        if func is F.dropout and (dropout := _Dropout(*args, **named)).training:
            return dropout.input * self._drawn(dropout)
        return func(*args, **named)

    def _drawn(self, dropout: _Dropout) -> Tensor:
        """Return this process's rows of the factors of dropout, drawn as one process draws them."""
        own = dropout.input
        last = own.dim() == 4 and own.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if last else torch.contiguous_format
        ones = torch.ones_like(own[:1]).expand(self._rows, *own.shape[1:]).contiguous(memory_format=layout)
        return F.dropout(ones, dropout.p)[ranks.share(self._rows)]
