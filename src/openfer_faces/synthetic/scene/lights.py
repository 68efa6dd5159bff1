"""Multi-PIE's 19 illuminations: room lights only, then one flash at a time."""

from dataclasses import dataclass

import numpy as np

from openfer.labels import ILLUMINATIONS


@dataclass(frozen=True)
class Light:
    """A key light with its surroundings.

    Attributes:
        yaw: direction of the key light, degrees to the person's left.
        pitch: its height, degrees.
        key: its strength, linear light on a white surface.
        ambient: strength of the surrounding light.
        shadow: whether the key light casts shadows.
        warmth: added to red and taken from blue, as a share.
    """

    yaw: float
    pitch: float
    key: float
    ambient: float
    shadow: bool
    warmth: float = 0.0

    @property
    def direction(self) -> np.ndarray:
        """Unit vector towards the light, (3,)."""
        return direction(self.yaw, self.pitch)

    @property
    def tint(self) -> np.ndarray:
        """Colour of the light, (3,), mean 1."""
        return np.array([1 + self.warmth, 1, 1 - self.warmth])


ROOM_KEY, ROOM_AMBIENT = 0.42, 0.78
FLASH_KEY, FLASH_AMBIENT = 1.10, 0.16

_FLASHES = (*((yaw, 0) for yaw in range(-90, 91, 15)), *((yaw, 35) for yaw in (-60, -30, 0, 30, 60)))

LIGHTS: dict[str, Light] = {
    ILLUMINATIONS[0]: Light(8, 55, ROOM_KEY, ROOM_AMBIENT, shadow=False),
    **{
        name: Light(yaw, pitch, FLASH_KEY, FLASH_AMBIENT, shadow=True)
        for name, (yaw, pitch) in zip(ILLUMINATIONS[1:], _FLASHES, strict=True)
    },
}
"""The lights by the illumination's name: thirteen flashes at head height, five above."""


def direction(yaw: float, pitch: float) -> np.ndarray:
    """Return the unit vector towards yaw (to the person's left) and pitch (up), degrees, (3,)."""
    turn, rise = np.radians(yaw), np.radians(pitch)
    return np.array([np.sin(turn) * np.cos(rise), np.sin(rise), np.cos(turn) * np.cos(rise)])
