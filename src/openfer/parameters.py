"""The base of every parameter model, and what of it decides a result."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

WITHOUT_EFFECT: dict[str, Any] = {"changes_results": False}
"""Mark of a field that changes how a result is made and not the result, such as a number of workers.

Used as ``Field(default, json_schema_extra=WITHOUT_EFFECT)``; changing such a field makes no result stale.
"""


class Settings(BaseModel):
    """Parameters that a YAML file fills: unknown keys are errors, values cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def decisive(value: Any) -> Any:
    """Return the JSON-ready part of a parameter that results depend on.

    Args:
        value: a pydantic model, or plain values from YAML.

    Returns:
        Nested dicts, lists and scalars, without the fields marked :data:`WITHOUT_EFFECT`.
    """
    if isinstance(value, BaseModel):
        kept = {
            name: getattr(value, name)
            for name, field in type(value).model_fields.items()
            if field.json_schema_extra != WITHOUT_EFFECT
        }
        return decisive(kept)
    if isinstance(value, Mapping):
        return {str(name): decisive(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [decisive(inner) for inner in value]
    return value
