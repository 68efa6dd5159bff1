"""Node functions whose inputs arrive by name: sources by dataset, models by method, runs by slug."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from openfer.pipelines.sources import Source


def by_name(function: Callable[..., Any], *grouped: str) -> Callable[..., Any]:
    """Return a node function that takes ``argument.name`` inputs and passes one mapping for each such argument.

    ``{"sources.raf_db.rows": ..., "sources.raf_db.faces": ...}`` becomes ``sources={"raf_db": Source(...)}``, and
    ``{"prerequisites.dfem": ...}`` becomes ``prerequisites={"dfem": ...}``. Kedro and the code's version know the
    result by the function's own name.

    Args:
        function: of a module.
        *grouped: its arguments that are mappings; one without any input is given an empty mapping.
    """

    def called(*single: Any, **inputs: Any) -> Any:
        arguments: dict[str, Any] = {name: {} for name in grouped}
        for key, value in inputs.items():
            argument, *path = key.split(".")
            place = arguments
            for inner in [argument, *path][:-1]:
                place = place.setdefault(inner, {})
            place[[argument, *path][-1]] = value
        if "sources" in grouped:
            arguments["sources"] = {name: Source.of(parts) for name, parts in arguments["sources"].items()}
        return function(*single, **arguments)

    parameters = [p for name, p in inspect.signature(function).parameters.items() if name not in grouped]
    functools.update_wrapper(called, function)
    called.__signature__ = inspect.Signature([*parameters, _ANY])  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in parameters if isinstance(p.annotation, type)}
    return called


def named(argument: str, entries: Mapping[str, str]) -> dict[str, str]:
    """Return the inputs of one mapping argument: catalog names by ``argument.name``."""
    return {f"{argument}.{name}": entry for name, entry in entries.items()}


_ANY = inspect.Parameter("inputs", inspect.Parameter.VAR_KEYWORD)
