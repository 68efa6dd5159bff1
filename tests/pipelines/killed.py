"""`kedro run` that is killed at a moment which the test names, however fast or busy the machine is.

``python killed.py MODULE:FUNCTION run --pipelines ...`` sends SIGKILL to itself and to all processes that it has
started as soon as the function has returned for the first time; of a generator, as soon as it has yielded.
"""

import functools
import importlib
import inspect
import operator
import os
import signal
import sys
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


if __name__ == "__main__":
    module, _, path = sys.argv.pop(1).partition(":")
    holder, _, name = path.rpartition(".")
    owner = importlib.import_module(module)
    owner = operator.attrgetter(holder)(owner) if holder else owner
    setattr(owner, name, kill_after(getattr(owner, name)))
    from kedro.framework.cli import main

    main()
