"""The base of every parameter model."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Parameters that a YAML file fills: unknown keys are errors, values cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
