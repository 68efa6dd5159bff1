"""Draws of viewpoint, light and occluder: in the laboratory by name, in the wild at random."""

from typing import Any

import numpy as np

from openfer.labels import ILLUMINATIONS
from openfer_faces.synthetic.config import Mixture
from openfer_faces.synthetic.movements import EVERYDAY
from openfer_faces.synthetic.scene.description import OCCLUDERS
from openfer_faces.synthetic.scene.lights import FLASH_KEY, LIGHTS, ROOM_AMBIENT, ROOM_KEY, Light
from openfer_faces.synthetic.scene.viewpoints import VIEWPOINTS

Record = dict[str, Any]
"""Fields of a scene and the names of its pose and illumination."""


def laboratory_scene(pose: str, illumination: str) -> Record:
    """Return viewpoint and light of Multi-PIE, by name."""
    yaw, pitch = VIEWPOINTS[pose]
    return {"pose": pose, "yaw": yaw, "pitch": pitch, "illumination": illumination, **_light(LIGHTS[illumination])}


def wild_scene(mixture: Mixture, generator: np.random.Generator) -> Record:
    """Draw viewpoint, framing and light as they come in photographs, or take the one light of the mixture.

    The pose and illumination names are those of the nearest laboratory ones, for reports.
    """
    yaw = float(np.clip(generator.normal(0, mixture.yaw_std), -90, 90))
    pitch = float(np.clip(generator.normal(0, mixture.pitch_std), -40, 40))
    light = (
        _wild_light(mixture.flash_share, generator) if mixture.illumination is None else LIGHTS[mixture.illumination]
    )
    return {
        "pose": f"yaw{15 * round(yaw / 15):+d}",
        "yaw": yaw,
        "pitch": pitch,
        "roll": float(generator.normal(0, mixture.roll_std)),
        "zoom": float(np.clip(generator.normal(1, mixture.zoom_std), 0.6, 1.6)),
        "shift_x": float(generator.normal(0, mixture.shift_std)),
        "shift_y": float(generator.normal(0, mixture.shift_std)),
        "exposure": float(generator.uniform(0.85, 1.15)) if mixture.illumination is None else 1.0,
        "illumination": mixture.illumination or _nearest_illumination(light),
        **_light(light),
    }


def draw_occluder(share: float, generator: np.random.Generator) -> str:
    """Return an occluder with probability ``share``, otherwise "none"."""
    covering = OCCLUDERS[1:]
    chosen = covering[generator.integers(len(covering))]
    return chosen if generator.random() < share else "none"


def draw_manner(share: float, generator: np.random.Generator) -> str | None:
    """Return "everyday" with probability ``share``, otherwise None; without any nothing is drawn."""
    return EVERYDAY if share and generator.random() < share else None


def _wild_light(flash_share: float, generator: np.random.Generator) -> Light:
    strength, warmth = generator.uniform(0.7, 1.3), float(generator.normal(0, 0.06))
    if generator.random() < flash_share:
        return Light(
            yaw=float(generator.uniform(-100, 100)),
            pitch=float(generator.uniform(-15, 60)),
            key=float(FLASH_KEY * strength),
            ambient=float(generator.uniform(0.12, 0.4) * strength),
            shadow=True,
            warmth=warmth,
        )
    return Light(
        yaw=float(generator.uniform(-50, 50)),
        pitch=float(generator.uniform(20, 70)),
        key=float(ROOM_KEY * strength),
        ambient=float(ROOM_AMBIENT * strength),
        shadow=True,
        warmth=warmth,
    )


def _nearest_illumination(light: Light) -> str:
    if light.ambient > light.key:
        return ILLUMINATIONS[0]
    return max(ILLUMINATIONS[1:], key=lambda name: float((LIGHTS[name].direction * light.direction).sum()))


def _light(light: Light) -> Record:
    return {
        "light_yaw": float(light.yaw),
        "light_pitch": float(light.pitch),
        "light_key": light.key,
        "light_ambient": light.ambient,
        "light_warmth": light.warmth,
        "light_shadow": light.shadow,
    }
