"""Colours: from the sRGB values that people name to the linear light that shading needs."""

import numpy as np

_STEPS = 4095
_RAMP = np.linspace(0, 1, _STEPS + 1)
_ENCODED = np.where(_RAMP <= 0.0031308, 12.92 * _RAMP, 1.055 * np.maximum(_RAMP, 1e-6) ** (1 / 2.4) - 0.055).astype(
    np.float32
)

Colour = tuple[int, int, int]


def linear(colour: Colour) -> np.ndarray:
    """Return the linear light of an sRGB colour given in 0..255, shape (3,), float32, in [0, 1]."""
    value = np.asarray(colour, np.float32) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def encode(light: np.ndarray) -> np.ndarray:
    """Return sRGB values in [0, 1] of linear light, float32, by table."""
    return _ENCODED[(np.clip(light, 0, 1) * _STEPS).astype(np.int32)]
