"""The parameters of the doctor."""

from typing import Literal

from pydantic import Field

from openfer.parameters import WITHOUT_EFFECT, Settings


class DoctorConfig(Settings):
    """How closely a copy is looked at.

    Attributes:
        decoded: how many images are decoded; all of a smaller set, a random sample of a larger one.
        faces_per_class: sample faces on the page.
        seed: root of the sample.
        workers: processes that decode; ``auto`` is one per core.
    """

    decoded: int = Field(20_000, ge=1)
    faces_per_class: int = Field(8, ge=1, le=50)
    seed: int = Field(ge=0)
    workers: Literal["auto"] | int = Field("auto", json_schema_extra=WITHOUT_EFFECT)
