"""The names of the registered methods, without importing any of them (or torch)."""

import pkgutil

from openfer import methods

_NOT_METHODS = {"contract", "declaration", "declared", "names", "registry", "rows", "schedules", "watching"}


def method_names() -> tuple[str, ...]:
    """Return the names of all registered methods, sorted: the modules of this folder."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(methods.__path__) if m.name not in _NOT_METHODS))
