"""What a user may say about measuring costs."""

from typing import Literal

from pydantic import Field

from openfer.parameters import WITHOUT_EFFECT, Settings


class ComplexitySettings(Settings):
    """Parameters of the pipeline ``complexity``; they are of its times, for its counts depend on nothing.

    Attributes:
        rounds: times that each network predicts one image.
        warm_up: times that it does so before.
        device: ``auto`` takes the GPU where there is one.
        fresh: True measures again although nothing changed, such as on another machine.
    """

    rounds: int = Field(20, ge=1)
    warm_up: int = Field(3, ge=0)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    fresh: bool = Field(False, json_schema_extra=WITHOUT_EFFECT)
