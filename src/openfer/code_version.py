"""The version of the code behind a function: a hash of each part of openfer that it can reach."""

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_PACKAGES = ("openfer", "openfer_faces")
_MARK = "runs_modules"
WATCHED = "watched_folders"
"""Mark of a function whose work depends on the files in folders: the names of the parameters that hold them."""

GATHERS = "gathers_runs"
"""Mark of a function that gathers the results of runs, and goes on without those that failed."""

_DIGITS = 12
_CODE = (".py", ".pyc")
_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")
"""Fields of a statement that hold statements, or the parts of a `try` or `match` with theirs."""


def runs(function: Callable[..., Any], *modules: str) -> Callable[..., Any]:
    """Return ``function`` with a note of modules that it imports by name, such as a registered method's."""
    return _noted(function, _MARK, modules)


def watches(function: Callable[..., Any], *parameters: str) -> Callable[..., Any]:
    """Return ``function`` with a note of parameters, each a raw folder: a changed file there makes its work stale."""
    return _noted(function, WATCHED, parameters)


def gathers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function`` with a note that it gathers the results of runs, and goes on without those that failed."""
    return _noted(function, GATHERS, True)


def _noted(function: Callable[..., Any], mark: str, value: Any) -> Callable[..., Any]:
    @functools.wraps(function)
    def noted(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    setattr(noted, mark, value)
    return noted


def code_modules(function: Callable[..., Any]) -> dict[str, str]:
    """Hash the syntax of a function and of all of openfer that it can reach.

    In the function's own module, only definitions that the function uses count: editing one node does not invalidate
    the other nodes in its file. Every openfer module that it imports, however deep, counts as a whole. Comments,
    docstrings and layout do not count; imports inside functions and data files of packages do.

    Returns:
        Twelve hexadecimal digits by name: the function's own under ``<module>.<function>``, then each module's.
    """
    own, imported = _read_definition(function.__module__, function.__name__)
    pending = [*imported, *getattr(function, _MARK, ())]
    seen: dict[str, str] = {}
    while pending:
        module = pending.pop()
        if module in seen:
            continue
        seen[module], imported = _read(module)
        pending.extend(imported)
    return {f"{function.__module__}.{function.__name__}": own[:_DIGITS]} | {
        name: seen[name][:_DIGITS] for name in sorted(seen)
    }


@functools.cache
def _read_definition(module: str, name: str) -> tuple[str, tuple[str, ...]]:
    tree = _parse(module)
    if tree is None:
        return "", ()
    definitions = {node.name: node for node in tree.body if isinstance(node, _DEFINITIONS)}
    if name not in definitions:
        return _read(module)
    kept: list[ast.AST] = [node for node in tree.body if not isinstance(node, _DEFINITIONS)]
    pending, reached = [name], set[str]()
    while pending:
        at = pending.pop()
        if at in definitions and at not in reached:
            reached.add(at)
            pending.extend(node.id for node in ast.walk(definitions[at]) if isinstance(node, ast.Name))
    kept += [node for at, node in definitions.items() if at in reached]
    imported = {found for part in kept for node in _statements(part) for found in _imports(node)}
    return _hash("".join(map(ast.dump, kept))), tuple(sorted(imported))


@functools.cache
def _read(module: str) -> tuple[str, tuple[str, ...]]:
    tree = _parse(module)
    if tree is None:
        return "", ()
    imported = {name for node in _statements(tree) for name in _imports(node)}
    return _hash(ast.dump(tree) + _data_of(module)), tuple(sorted(imported))


def _data_of(module: str) -> str:
    """Hash what a package holds beside code, such as tables; nothing for a module of one file."""
    source = _source(module)
    if source is None or source.name != "__init__.py":
        return ""
    files = sorted(file for file in source.parent.iterdir() if file.is_file() and file.suffix not in _CODE)
    return "".join(f"{file.name}:{hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in files)


def _parse(module: str) -> ast.Module | None:
    source = _source(module)
    if source is None:
        return None
    tree = ast.parse(source.read_text())
    _drop_docstrings(tree)
    return tree


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if _source(alias.name) is not None]
    if isinstance(node, ast.ImportFrom) and node.module is not None:
        names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        return [name for name in names if _source(name) is not None]
    return []


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _source(module: str) -> Path | None:
    """Return the file of one of openfer's modules, found without importing it; None for anything else."""
    top, *inner = module.split(".")
    package = importlib.util.find_spec(top) if top in _PACKAGES else None
    if package is None or package.origin is None:
        return None
    place = Path(package.origin).parent.joinpath(*inner)
    candidates = (place / "__init__.py", place.with_suffix(".py"))
    return next((file for file in candidates if file.is_file()), None)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a module or statement and all statements within it: a tenth of the nodes of :func:`ast.walk`."""
    yield node
    for field in _BLOCKS:
        for inner in getattr(node, field, ()):
            yield from _statements(inner)


def _drop_docstrings(tree: ast.Module) -> None:
    for node in _statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
