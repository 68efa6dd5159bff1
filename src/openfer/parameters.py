"""The base of every parameter model, and the marks that say how a field decides a result."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator, model_validator
from pydantic_core import PydanticCustomError

from openfer.errors import did_you_mean

WITHOUT_EFFECT: dict[str, Any] = {"changes_results": False}
"""Mark of a field that changes how a result is made and not the result, such as a number of workers.

Used as ``Field(default, json_schema_extra=WITHOUT_EFFECT)``; changing such a field makes no result stale.
"""


ONLY_PREDICTION: dict[str, Any] = {"changes": "predictions"}
"""Mark of a field that a trained model predicts by and that its training does not depend on."""


DERIVED: dict[str, Any] = {"derived": True}
"""Mark of a field that other parameters come to, and that a tracker of runs need not keep beside them."""


FILE: dict[str, Any] = {"names": "file"}
"""Mark of a field that may name a file: the file's content decides the result, not its place."""


UNKNOWN = "unknown_parameter"
"""Type of pydantic's error of a key that a model does not have; its context holds the ``key`` and what is ``near``."""


PathType = TypeVar("PathType", str, Path)


def at_home(path: PathType) -> PathType:
    """Return a path with a leading ``~`` replaced by the home folder; any other path unchanged."""
    return type(path)(Path(path).expanduser()) if str(path).startswith("~") else path


class RawFolder(RootModel[Path]):
    """Where a dataset's copy lies. Its files decide what is made of it, the place does not."""

    model_config = ConfigDict(frozen=True)
    root: Path = Field(json_schema_extra=WITHOUT_EFFECT)

    _expands = field_validator("root", mode="after")(at_home)


class Settings(BaseModel):
    """Parameters that a YAML file fills: unknown keys are errors, values cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _keys_are_known(cls, values: Any) -> Any:
        for key in values if isinstance(values, Mapping) else ():
            if key not in cls.model_fields:
                names = ", ".join(cls.model_fields) or "none"
                near = did_you_mean(str(key), cls.model_fields, f"the parameters here are {names}")
                said = {"key": key, "near": near}
                raise PydanticCustomError(UNKNOWN, "there is no parameter '{key}'; {near}", said)
        return values


SettingsType = TypeVar("SettingsType", bound=Settings)


def as_trained(settings: SettingsType) -> SettingsType:
    """Return settings with every field that only predictions depend on at its default.

    Two settings that differ in such fields alone train the same model.
    """
    changed: dict[str, Any] = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if field.json_schema_extra == ONLY_PREDICTION:
            changed[name] = field.get_default(call_default_factory=True)
        elif isinstance(value, Settings):
            changed[name] = as_trained(value)
    return settings.model_copy(update=changed)
