"""The names of the registered readers, without importing any of them."""

import functools
import pkgutil
import re
from pathlib import Path

from openfer import datasets

_REGISTERED = re.compile(r"^READER = ", re.MULTILINE)


@functools.cache
def reader_names() -> tuple[str, ...]:
    """Return the names of all registered readers, sorted: the modules of this folder that end with a ``READER``."""
    folder = Path(datasets.__path__[0])
    modules = (m.name for m in pkgutil.iter_modules(datasets.__path__))
    return tuple(sorted(name for name in modules if _REGISTERED.search((folder / f"{name}.py").read_text("utf-8"))))
