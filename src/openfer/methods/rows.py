"""A row of a paper's table by its name: the settings that make it."""

import copy
import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from openfer.errors import ParameterError
from openfer.methods.contract import Method


def with_row(kind: type[Method], name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with those of a row of :attr:`Method.variants` over them.

    What other rows of the method set and this one leaves out stands at its default, so that it is this row whatever
    ``settings`` say; all else stays as they say.

    Args:
        kind: the method.
        name: the row.
        settings: plain and not yet validated, as YAML gives them; they stay as they are.

    Raises:
        ParameterError: if the method has no such row.
    """
    if not kind.variants:
        raise ParameterError(f"variant is {name!r}, but {kind.name} has one row only, its settings; leave variant null")
    if name not in kind.variants:
        nearest = difflib.get_close_matches(name, kind.variants, n=len(kind.variants), cutoff=0.0)
        raise ParameterError(
            f"variant is {name!r}, which {kind.name} does not have; its rows are, the nearest first: "
            f"{', '.join(nearest)}"
        )
    defaults = kind.config_class().model_dump()
    switches = {path: _at(defaults, path) for row in kind.variants.values() for path, _ in _leaves(row)}
    merged = copy.deepcopy(dict(settings))
    for path, value in (switches | dict(_leaves(kind.variants[name]))).items():
        _put(merged, path, value)
    return merged


def _leaves(settings: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _at(settings: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    for key in path:
        settings = settings[key]
    return settings


def _put(settings: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *above, last = path
    for key in above:
        inner = settings.setdefault(key, {})
        if not isinstance(inner, dict):
            return  # no block of settings, which validation refuses by its place
        settings = inner
    settings[last] = value
