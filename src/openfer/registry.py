"""Registered things by name: a folder that holds nothing else, one module for each."""

import functools
import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Generic, TypeVar

from openfer.errors import ParameterError, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """The entries of a package: each of its modules is one, under the module's name.

    A name is known without an import. A further folder on the package's ``__path__`` adds its modules.

    Args:
        package: the package, or its dotted name.
        attribute: what each module calls its entry, such as ``METHOD``.
        kind: what an entry is in messages, such as ``method``; its plural has an s.
    """

    def __init__(self, package: ModuleType | str, attribute: str, kind: str) -> None:
        self._package = package if isinstance(package, str) else package.__name__
        self._attribute = attribute
        self._kind = kind

    def names(self) -> tuple[str, ...]:
        """Return the names of all entries, sorted."""
        package = importlib.import_module(self._package)
        return _modules(tuple(package.__path__))

    def get(self, name: str) -> T:
        """Import one entry's module and return the entry.

        Raises:
            ParameterError: if there is no such entry; the message lists the names that exist.
        """
        names = self.names()
        if name not in names:
            raise ParameterError(
                f"{self._kind} {name!r} does not exist; {did_you_mean(name, names, f'the {self._kind}s are')} "
                f"{', '.join(names)}"
            )
        entry: T = getattr(importlib.import_module(f"{self._package}.{name}"), self._attribute)
        return entry

    __getitem__ = get

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())


@functools.cache  # a command asks some hundred times
def _modules(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the modules in some folders, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folders)))
