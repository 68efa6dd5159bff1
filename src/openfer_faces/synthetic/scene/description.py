"""One image in numbers: the flat record from which it can be rendered again."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from openfer_faces.synthetic.scene.lights import Light

OCCLUDERS = ("none", "sunglasses", "mask", "hand", "hair")
"""What may cover a face."""


@dataclass(frozen=True)
class Scene:
    """Everything that decides an image, except its size and the person's own seed.

    Attributes:
        seed: of the image's details: variant of the expression, occluder, background, noise.
        person_seed: the identity.
        gender: "male" or "female".
        age: one of :data:`~openfer.labels.AGES`.
        race: one of :data:`~openfer.labels.RACES`.
        expression: one of :data:`~openfer.labels.EXPRESSIONS`.
        intensity: strength of the expression, 1 is full.
        yaw: of the camera, degrees to the person's left.
        pitch: of the camera, degrees upwards.
        roll: of the image, degrees.
        zoom: magnification, 1 shows 21.5 cm.
        shift_x: to the right, share of the image's side.
        shift_y: down, share of the image's side.
        light_yaw: of the key light, degrees to the person's left.
        light_pitch: of the key light, degrees upwards.
        light_key: strength of the key light.
        light_ambient: strength of the surrounding light.
        light_warmth: added to red, taken from blue.
        light_shadow: whether the key light casts shadows.
        exposure: factor on the exposure that the camera chooses.
        occluder: one of :data:`OCCLUDERS`.
        manner: "everyday" for movements as photographs show them; None for the prototypes of expressions.
    """

    seed: int
    person_seed: int
    gender: str
    age: str
    race: str
    expression: str
    intensity: float
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    zoom: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    light_yaw: float = 8.0
    light_pitch: float = 55.0
    light_key: float = 0.42
    light_ambient: float = 0.78
    light_warmth: float = 0.0
    light_shadow: bool = False
    exposure: float = 1.0
    occluder: str = "none"
    manner: str | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Take a scene out of a table's row; other columns are left alone.

        Raises:
            KeyError: if the row lacks a field.
        """
        values = {field.name: record[field.name] for field in fields(cls)}
        # seeds are derived from how a number is written, and NumPy's are written differently
        return cls(**{name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()})

    @property
    def light(self) -> Light:
        """The light of the scene."""
        return Light(
            yaw=self.light_yaw,
            pitch=self.light_pitch,
            key=self.light_key,
            ambient=self.light_ambient,
            shadow=self.light_shadow,
            warmth=self.light_warmth,
        )
