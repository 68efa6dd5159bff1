"""Counting parameters and multiply-accumulates in the convention of ADDL's Table 12.

The table's "FLOPs" are multiply-accumulates of a popular counter, and reach the published 1.82G,
2.82G and 3.82G only when normalisation, activation and pooling count too:

- convolution and linear layers: one per multiplication; biases are not counted;
- batch normalisation: two per element;
- ReLU and PReLU: one per element; pooling: one per input element;
- sigmoids, LeakyReLU (the networks used in training only), sums and products of maps: nothing.

Functions are counted where they are called, not modules, so that a pooling written as a function
counts once and a module that does not run counts nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


def count_parameters(*modules: nn.Module) -> int:
    """Return the number of distinct parameters, trainable or not, of modules together."""
    return sum(parameter.numel() for parameter in _distinct(modules))


def count_macs(function: Callable[..., Any], *inputs: Any) -> int:
    """Return the multiply-accumulates of one call in this module's convention.

    Args:
        function: what to count; its modules in evaluation mode. Called without gradients.
        *inputs: its arguments; a batch of one gives the figure of one image.
    """
    with torch.no_grad(), _Counter() as counter:
        function(*inputs)
    return counter.macs


def _distinct(modules: Iterable[nn.Module]) -> Iterable[nn.Parameter]:
    return {id(parameter): parameter for module in modules for parameter in module.parameters()}.values()


def _convolution(arguments: tuple[Any, ...], result: Tensor) -> int:
    weight = arguments[1]  # (C_out, C_in / groups, k, k): every output element costs one of its C_out filters
    return result.numel() * prod(weight.shape[1:])


def _linear(arguments: tuple[Any, ...], result: Tensor) -> int:
    return result.numel() * int(arguments[1].shape[1])


def _per_input(times: int) -> Callable[[tuple[Any, ...], Any], int]:
    return lambda arguments, _: times * int(arguments[0].numel())


_COSTS: Mapping[Callable[..., Any], Callable[[tuple[Any, ...], Any], int]] = {
    torch.conv1d: _convolution,
    torch.conv2d: _convolution,
    F.linear: _linear,
    F.batch_norm: _per_input(2),
    F.relu: _per_input(1),
    F.prelu: _per_input(1),
    F.max_pool2d: _per_input(1),
    F.avg_pool2d: _per_input(1),
    F.adaptive_max_pool2d: _per_input(1),
    F.adaptive_avg_pool2d: _per_input(1),
}


class _Counter(TorchFunctionMode):
    """Adds up the cost of every function of :data:`_COSTS` that is called while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))  # the mode is off in here: what func calls is not counted again
        if func in _COSTS:
            self.macs += _COSTS[func](args, result)
        return result
