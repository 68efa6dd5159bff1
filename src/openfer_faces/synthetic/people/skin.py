"""The painted skin: complexion, blush, shade, marks, lips and lashes."""

import numpy as np

from openfer_faces.synthetic.people.traits import Traits
from openfer_faces.synthetic.template import Template

_LASH_COLOUR = np.array([0.012, 0.009, 0.008], np.float32)
_TIP_OF_NOSE = 30
_CHIN = 8


def paint_skin(template: Template, generator: np.random.Generator, traits: Traits) -> np.ndarray:
    """Paint bare skin with blush, shade and marks.

    Returns:
        Linear albedo, (height, width, 3), float32.
    """
    skin = _complexion(template, generator, traits)
    _blush(template, generator, traits, skin)
    _shade_eyes(template, generator, traits, skin)
    if traits.race == "caucasian" and generator.random() < 0.35:
        _freckles(template, generator, skin)
    _spots(template, generator, traits, skin)
    return skin


def _complexion(template: Template, generator: np.random.Generator, traits: Traits) -> np.ndarray:
    space = template.space
    blotches, grain, pores = (space.noise(generator, cells, octaves) for cells, octaves in ((10, 3), (60, 2), (220, 1)))
    brightness = 1 + 0.035 * blotches + 0.025 * grain + 0.02 * pores
    if traits.ageing > 0.2:
        brightness *= 1 - 0.07 * traits.ageing * np.abs(grain)
    redness = np.array([0.02, -0.01, -0.01] if traits.has_dark_skin else [0.04, -0.03, -0.03], np.float32)
    base = traits.skin * (np.array([1, 0.97, 0.95], np.float32) if traits.ageing > 0.2 else np.float32(1))
    return brightness[..., None] * base + (0.8 * traits.skin.mean() * blotches)[..., None] * redness


def _blush(template: Template, generator: np.random.Generator, traits: Traits, skin: np.ndarray) -> None:
    space = template.space
    strength = generator.uniform(0.4, 1.0) * (0.6 if traits.has_dark_skin else 1.0)
    chin = space.place(0, template.reference[template.landmarks[_CHIN], 1] + 0.12)
    places = (
        (template.landmark_place(_TIP_OF_NOSE), (16, 14), 0.22),
        (space.place(-0.42, 6.98), (40, 26), 0.20),
        (space.place(0.42, 6.98), (40, 26), 0.20),
        (chin, (22, 12), 0.12),
    )
    for centre, radii, amount in places:
        space.tint(skin, centre, radii, np.array([0.10, -0.45, -0.40]) * amount * strength)


def _shade_eyes(template: Template, generator: np.random.Generator, traits: Traits, skin: np.ndarray) -> None:
    tiredness = 0.5 + 0.5 * traits.ageing + 0.3 * generator.random()
    for inner, outer in ((39, 36), (42, 45)):
        inner_x, inner_y = template.landmark_place(inner)
        outer_x, outer_y = template.landmark_place(outer)
        below = (0.6 * inner_x + 0.4 * outer_x, 0.6 * inner_y + 0.4 * outer_y + 15)
        template.space.tint(skin, below, (18, 8), np.array([-0.16, -0.20, -0.15]) * tiredness)
        lid = ((inner_x + outer_x) / 2, (inner_y + outer_y) / 2 - 10)
        depth = 1.3 if traits.is_female else 1.0
        template.space.tint(skin, lid, (24, 9), np.array([-0.10, -0.14, -0.12]) * depth)


def _freckles(template: Template, generator: np.random.Generator, skin: np.ndarray) -> None:
    space = template.space
    cheeks = space.discs([(space.place(side * 0.3, 7.02), 45, 26) for side in (-1, 1)])
    freckles = (space.noise(generator, 150) > 1.15) * cheeks
    skin *= 1 - freckles[..., None] * np.array([0.18, 0.3, 0.35], np.float32)


def _spots(template: Template, generator: np.random.Generator, traits: Traits, skin: np.ndarray) -> None:
    """Moles, and with age more and larger spots."""
    for _ in range(generator.poisson(1.5 + 5 * traits.ageing)):
        centre = (generator.uniform(0.28, 0.72) * 640, generator.uniform(0.1, 0.85) * 512)
        radius = generator.uniform(1.2, 2.4 + 3 * traits.ageing)
        change = np.array([-0.25, -0.35, -0.4]) * generator.uniform(0.3, 1)
        template.space.tint(skin, centre, (radius, radius), change)


def paint_lips(template: Template, generator: np.random.Generator, traits: Traits, skin: np.ndarray) -> None:
    """Colour the lips in place; some women wear lipstick."""
    ratio = np.array([0.95, 0.66, 0.68] if traits.has_dark_skin else [0.86, 0.52, 0.52], np.float32)
    cover = 0.75 if traits.is_female else 0.6
    if traits.is_female and traits.is_adult and generator.random() < 0.45:
        ratio = ratio * np.array([1.05, 0.62, 0.66], np.float32)
        cover = 0.95
    window = _window(template.paint.lips)
    mask = template.paint.lips[window] * cover
    grain = 1 + 0.08 * template.space.noise(generator, 120)[window][..., None]
    skin[window] = skin[window] * (1 - mask) + traits.skin * ratio * grain * mask


def paint_lashes(template: Template, traits: Traits, skin: np.ndarray) -> None:
    """Darken the lash lines in place."""
    upper = 0.75 if traits.is_female and traits.is_adult else 0.53
    mask = np.maximum(template.paint.upper_lashes * np.float32(upper), template.paint.lower_lashes * np.float32(0.24))
    window = _window(mask)
    skin[window] += (_LASH_COLOUR - skin[window]) * mask[window]


def shininess(template: Template, generator: np.random.Generator, traits: Traits) -> np.ndarray:
    """Return the strength of highlights on skin and lips, (height, width), float32."""
    space = template.space
    shine = np.full((space.height, space.width, 1), generator.uniform(0.12, 0.28), np.float32)
    space.tint(shine, template.landmark_place(_TIP_OF_NOSE), (18, 18), 0.6)
    space.tint(shine, space.place(0, 7.75), (80, 30), 0.5)
    return (shine + template.paint.lips * np.float32(0.35 if traits.is_female else 0.25))[..., 0]


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns where a mask is not zero."""
    rows, columns = np.flatnonzero(mask.any((1, 2))), np.flatnonzero(mask.any((0, 2)))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
