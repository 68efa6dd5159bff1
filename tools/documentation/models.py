"""Tables of parameters, from the pydantic models that check them."""

import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from openfer.parameters import ONLY_PREDICTION, WITHOUT_EFFECT, Settings

_SECTION = re.compile(r"^Attributes:\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_ATTRIBUTE = re.compile(r"^    (\w+): (.*?)(?=^    \w+:|\Z)", re.MULTILINE | re.DOTALL)
_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "min_length": "length >=", "max_length": "length <="}
_EFFECTS = {id(WITHOUT_EFFECT): "Does not change results.", id(ONLY_PREDICTION): "Changes predictions alone."}


def anchor(model: type[BaseModel]) -> str:
    """Return the name that links of the site have for a model."""
    return f"settings-{model.__module__.rpartition('.')[2]}-{model.__name__}".lower().replace("_", "-")


def nested(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield the models that the fields of a model hold, and those within them, each once."""
    waiting, seen = [model], {model}
    while waiting:
        for field in waiting.pop().model_fields.values():
            for found in _models_of(field.annotation):
                if found not in seen:
                    seen.add(found)
                    waiting.append(found)
                    yield found


def table(model: type[BaseModel]) -> str:
    """Return the fields of a model as a Markdown table: name, kind, default, meaning."""
    if not model.model_fields:
        return "No parameters."
    meanings = _meanings(model)
    lines = ["| parameter | values | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        effect = next((text for key, text in _EFFECTS.items() if id(field.json_schema_extra) == key), "")
        meaning = " ".join([meanings.get(name, ""), effect]).strip()
        lines.append(f"| `{name}` | {_kind(field)} | {_default(field)} | {_cell(meaning)} |")
    return "\n".join(lines)


def summary(model: type[BaseModel]) -> str:
    """Return the first paragraph of a model's docstring."""
    return _plain((inspect.getdoc(model) or "").split("\n\n")[0])


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        section = _SECTION.search(inspect.cleandoc(base.__dict__.get("__doc__") or ""))
        if section:
            found |= {name: _plain(text) for name, text in _ATTRIBUTE.findall(section[1])}
    return found


def _plain(text: str) -> str:
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?([^`]+)`", r"`\1`", " ".join(text.split()))
    text = text.replace("``", "`").strip()
    return text[:1].upper() + text[1:]


def _kind(field: FieldInfo) -> str:
    bounds = [
        f"{sign} {getattr(item, name):g}"
        for item in field.metadata
        for name, sign in _BOUNDS.items()
        if getattr(item, name, None) is not None
    ]
    return ", ".join([_words(field.annotation), *bounds])


def _words(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _words(inner[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(part) for part in inner)
    if origin in (tuple, list):
        return "list of " + _words(inner[0]) if inner else "list"
    if origin is not None and inner:
        return "map" if issubclass(origin, Mapping) else str(origin.__name__)
    if inspect.isclass(annotation) and issubclass(annotation, Settings):
        return "the method's" if annotation is Settings else f"[{annotation.__name__}](#{anchor(annotation)})"
    return {"NoneType": "null", "str": "text", "Any": "any"}.get(
        getattr(annotation, "__name__", ""), getattr(annotation, "__name__", str(annotation))
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        changed = value.model_dump(exclude_defaults=True)
        return f"`{_cell(_yaml(changed))}`" if changed else "its defaults"
    return f"`{_cell(_yaml(value))}`"


def _yaml(value: Any) -> str:
    """Return a value as YAML writes it in one line."""
    text = yaml.safe_dump(_plain_value(value), default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("...\n").strip()


def _plain_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain_value(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain_value(inner) for inner in value]
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        if annotation is not Settings:
            yield annotation
        return
    for inner in typing.get_args(annotation):
        yield from _models_of(inner)
