"""Node functions with their first arguments given."""

import functools
from collections.abc import Callable
from typing import Any


def bound(function: Callable[..., Any], *first: Any, **types: type) -> Callable[..., Any]:
    """Return a node function with its first arguments given, which Kedro and the code's version know by its name.

    Args:
        function: of a module.
        *first: its first arguments.
        **types: pydantic models of later arguments, where the function leaves the kind open.
    """
    called = functools.partial(function, *first)
    functools.update_wrapper(called, function)
    del called.__wrapped__  # type: ignore[attr-defined]  # else Kedro reads the signature with all arguments
    called.__annotations__ = function.__annotations__ | types
    return called
