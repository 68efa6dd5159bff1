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
    specification = importlib.util.find_spec(module)
    if specification is None or specification.origin is None:
        return "", ()
    tree = ast.parse(Path(specification.origin).read_text())
    imported = {name for node in ast.walk(tree) for name in _openfer_imports(node)}
    _drop_docstrings(tree)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(sorted(imported))


def _openfer_imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name.split(".")[0] == _PACKAGE]
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == _PACKAGE:
        submodules = [f"{node.module}.{alias.name}" for alias in node.names]
        return [str(node.module), *(name for name in submodules if _is_module(name))]
    return []


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _drop_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
