"""The version of the code behind a function: a hash of the openfer modules that it can reach."""

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PACKAGE = "openfer"
_MARK = "runs_modules"


def runs(function: Callable[..., Any], *modules: str) -> Callable[..., Any]:
    """Return ``function`` with a note of modules that it imports by name, such as a registered method's."""

    @functools.wraps(function)
    def noted(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    setattr(noted, _MARK, modules)
    return noted


def code_version(function: Callable[..., Any]) -> str:
    """Hash the syntax of the function's module and of every openfer module that it imports, however deep.

    Comments, docstrings and layout do not count; imports inside functions do.
    """
    pending = [function.__module__, *getattr(function, _MARK, ())]
    seen: dict[str, str] = {}
    while pending:
        module = pending.pop()
        if module in seen:
            continue
        seen[module], imported = _read(module)
        pending.extend(imported)
    return hashlib.sha256("".join(f"{name}:{seen[name]}\n" for name in sorted(seen)).encode()).hexdigest()


@functools.cache
def _read(module: str) -> tuple[str, tuple[str, ...]]:
    source = _source(module)
    if source is None:
        return "", ()
    tree = ast.parse(source.read_text())
    imported = {name for node in ast.walk(tree) for name in _imports(node)}
    _drop_docstrings(tree)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(sorted(imported))


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if _source(alias.name) is not None]
    if isinstance(node, ast.ImportFrom) and node.module is not None:
        names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        return [name for name in names if _source(name) is not None]
    return []


@functools.cache
def _source(module: str) -> Path | None:
    """Return the file of one of openfer's modules, found without importing it; None for anything else."""
    top, *inner = module.split(".")
    package = importlib.util.find_spec(top) if top == _PACKAGE else None
    if package is None or package.origin is None:
        return None
    place = Path(package.origin).parent.joinpath(*inner)
    candidates = (place / "__init__.py", place.with_suffix(".py"))
    return next((file for file in candidates if file.is_file()), None)


def _drop_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
