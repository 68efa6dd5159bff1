"""The camera: a long lens on a sphere around the face."""

from dataclasses import dataclass

import numpy as np

from openfer_faces.synthetic.scene.description import Scene
from openfer_faces.synthetic.scene.lights import direction

TARGET = np.array([0, 7.02, 0.62])
"""The point that the camera looks at, decimetres."""

_DISTANCE = 12.0
_FRAME = 2.15
"""Width of the view at the target, decimetres, at zoom 1."""


@dataclass(frozen=True)
class Camera:
    """A perspective view.

    Attributes:
        position: decimetres, (3,).
        right: unit vector, (3,).
        up: unit vector, (3,).
        forward: unit vector from the face to the camera, (3,).
        focal: focal length in pixels.
        centre: where the target appears, pixels, (x, y).
    """

    position: np.ndarray
    right: np.ndarray
    up: np.ndarray
    forward: np.ndarray
    focal: float
    centre: tuple[float, float]


def camera_of(scene: Scene, side: int) -> Camera:
    """Return the camera of a scene for images of ``side`` pixels."""
    forward = direction(scene.yaw, scene.pitch)
    turn = np.radians(scene.yaw)
    level = np.array([np.cos(turn), 0, -np.sin(turn)])
    upright = np.cross(forward, level)
    roll = np.radians(scene.roll)
    return Camera(
        position=TARGET + _DISTANCE * forward,
        right=np.cos(roll) * level + np.sin(roll) * upright,
        up=np.cos(roll) * upright - np.sin(roll) * level,
        forward=forward,
        focal=_DISTANCE * side / (_FRAME / scene.zoom),
        centre=(side * (0.5 + scene.shift_x), side * (0.5 + scene.shift_y)),
    )
