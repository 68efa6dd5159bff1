"""The names of the registered readers, without importing any of them."""

import pkgutil

from openfer import datasets

_NOT_READERS = {"challenge", "contract", "frames", "labelling", "names", "registry", "rows", "sheets", "tree"}


def reader_names() -> tuple[str, ...]:
    """Return the names of all registered readers, sorted: the modules of this folder."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(datasets.__path__) if m.name not in _NOT_READERS))
