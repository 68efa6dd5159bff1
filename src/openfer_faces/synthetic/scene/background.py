"""Blurred backgrounds, as bright as the light in the scene."""

import numpy as np

from openfer_faces.synthetic.colours import Colour, linear
from openfer_faces.synthetic.scene.lights import Light
from openfer_faces.synthetic.texture_space import smooth_noise

_COLOURS: tuple[Colour, ...] = ((150, 158, 170), (120, 130, 125), (175, 165, 150), (95, 100, 115), (190, 195, 200))
_SIDE = 32


def background_of(light: Light, generator: np.random.Generator) -> np.ndarray:
    """Return a background in linear light, (32, 32, 3), float32; the renderer stretches it."""
    colour = linear(_COLOURS[generator.integers(len(_COLOURS))]) * generator.uniform(0.5, 1.2)
    cloudy = np.clip(colour * (1 + 0.22 * smooth_noise(generator, _SIDE, _SIDE, 3, 2)[..., None]), 0.01, 1)
    return (cloudy * (0.5 * light.key + 0.8 * light.ambient)).astype(np.float32)
