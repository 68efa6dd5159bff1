"""A person ready to be rendered."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from openfer.seeds import generator_for
from openfer_faces.synthetic.people.hair import grow_scalp, paint_beard, paint_brows, paint_scalp
from openfer_faces.synthetic.people.shape import HeadShape, make_shape
from openfer_faces.synthetic.people.skin import paint_lashes, paint_lips, paint_skin, shininess
from openfer_faces.synthetic.people.traits import Traits, draw_traits
from openfer_faces.synthetic.renderer.rasteriser import WarpArray, floats
from openfer_faces.synthetic.template import Template


@dataclass(frozen=True)
class Person:
    """One identity.

    Attributes:
        traits: age, colours, hairstyle.
        shape: the neutral head.
        texture: linear albedo and, last, strength of highlights, (height, width, 4), float32.
        hair_volume: how far the scalp hair lifts each vertex, decimetres, (V,), float32.
    """

    traits: Traits
    shape: HeadShape
    texture: np.ndarray
    hair_volume: np.ndarray

    @cached_property
    def device_texture(self) -> WarpArray:
        """The texture where the renderer reads it."""
        return floats(self.texture)


def make_person(template: Template, seed: int, gender: str, age: str, race: str) -> Person:
    """Make the person of a seed; the same arguments give the same person at any texture size.

    Args:
        template: what all people share.
        seed: the identity.
        gender: "male" or "female".
        age: one of :data:`~openfer.labels.AGES`.
        race: one of :data:`~openfer.labels.RACES`.
    """
    traits = draw_traits(seed, gender, age, race)
    shape = make_shape(template, seed, traits)
    generator = generator_for(seed, "skin")
    skin = paint_skin(template, generator, traits)
    shine = shininess(template, generator, traits)
    paint_lips(template, generator, traits, skin)
    generator = generator_for(seed, "hair")
    paint_beard(template, generator, traits, skin)
    paint_brows(template, generator, traits, skin, shine)
    paint_lashes(template, traits, skin)
    scalp = grow_scalp(template, generator, traits)
    paint_scalp(template, generator, traits, scalp, skin, shine)
    texture = np.concatenate([np.clip(skin, 0.002, 1), shine[..., None]], -1, dtype=np.float32)
    return Person(traits, shape, texture, scalp.volume)
