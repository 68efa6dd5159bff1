"""A program that is killed at a moment which the test names, however fast or busy the machine is."""

import functools
import inspect
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any


def kill_after(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, after whose first result this process group is killed."""

    def values(*arguments: Any, **named: Any) -> Iterator[Any]:
        for _ in function(*arguments, **named):
            os.killpg(0, signal.SIGKILL)
            yield

    def value(*arguments: Any, **named: Any) -> None:
        function(*arguments, **named)
        os.killpg(0, signal.SIGKILL)

    return functools.wraps(function)(values if inspect.isgeneratorfunction(function) else value)
