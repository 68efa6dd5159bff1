"""The parameters of the doctor."""

from typing import Literal

from pydantic import Field

from openfer.parameters import WITHOUT_EFFECT, Settings


class DoctorConfig(Settings):
    """Parameters of the doctor.

    Attributes:
        decoded: most images that are decoded; a larger set is sampled at random.
        faces_per_class: number of faces on the page for each class.
        seed: root seed of the sample.
        workers: processes that decode; ``auto`` is one per core.
    """

    decoded: int = Field(20_000, ge=1)
    faces_per_class: int = Field(8, ge=1, le=50)
    seed: int = Field(ge=0)
    workers: Literal["auto"] | int = Field("auto", json_schema_extra=WITHOUT_EFFECT)
