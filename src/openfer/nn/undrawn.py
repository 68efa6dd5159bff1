"""Networks whose weights are about to be loaded: drawing them at random first would only cost time."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor
from torch.nn import init
from torch.overrides import TorchFunctionMode

_DRAWS = (
    *(Tensor.normal_, Tensor.uniform_, init.normal_, init.uniform_, init.trunc_normal_),
    *(init.kaiming_normal_, init.kaiming_uniform_, init.xavier_normal_, init.xavier_uniform_),
)


class Undrawn(TorchFunctionMode):
    """Leaves weights as they are in memory where a network would draw them; torch's random numbers stay as they were.

    A network that is built in it must load all of its weights, unless nothing is asked that depends on them.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[Any], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call a function, or return the tensor that it would fill."""
        given = kwargs or {}
        if func in _DRAWS:
            return args[0] if args else given["tensor"]
        return func(*args, **given)
