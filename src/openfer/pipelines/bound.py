"""Node functions with their first arguments given."""

import functools
import inspect
from collections.abc import Callable
from typing import Any


def bound(function: Callable[..., Any], *first: Any, **types: type) -> Callable[..., Any]:
    """Return a node function with its first arguments given, which Kedro and the code's version know by its name.

    Args:
        function: of a module.
        *first: its first arguments.
        **types: pydantic models of later arguments, where the function leaves the kind open.
    """

    def called(*later: Any, **named: Any) -> Any:  # a partial has no code for Kedro-Viz to show
        return function(*first, *later, **named)

    parameters = [
        each.replace(annotation=types.get(name, each.annotation))
        for name, each in inspect.signature(function).parameters.items()
    ]
    functools.update_wrapper(called, function)
    called.__signature__ = inspect.Signature(parameters[len(first) :])  # type: ignore[attr-defined]
    called.__annotations__ = function.__annotations__ | types
    return called
