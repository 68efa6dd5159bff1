"""Hair painted on the texture: brows, beard and scalp, and the volume that the scalp hair adds."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from openfer_faces.synthetic.people.traits import Traits
from openfer_faces.synthetic.template import Template
from openfer_faces.synthetic.texture_space import smooth_curve

_BROWS = ((17, 18, 19, 20, 21), (26, 25, 24, 23, 22))
"""Landmarks of the two brows, outer to inner."""

_BROW_LIFT, _BROW_LIFT_STD = 3.0, 3.0
"""How far the brows lie above their landmarks, which differs between people; 18 texture units are a centimetre. Of 68
neutral photographs the landmarker's mesh has its brows as high; painted 8 units lower, rendered faces looked angry."""

_ZOOM = 2
_HAIRLINE_ANGLES = (0, 22, 38, 50, 60, 68, 78, 90, 100, 110)
_SCALP_COVER = {"bald": 0.0, "buzz": 0.75, "short": 1.0, "tied": 1.0, "long": 1.0}


@dataclass(frozen=True)
class Scalp:
    """Where the scalp hair grows.

    Attributes:
        mask: over the texture, in [0, 1], (height, width), float32.
        volume: how far it lifts each vertex along its normal, decimetres, (V,), float32.
    """

    mask: np.ndarray
    volume: np.ndarray


def paint_brows(
    template: Template, generator: np.random.Generator, traits: Traits, skin: np.ndarray, shine: np.ndarray
) -> None:
    """Paint both brows hair by hair, in place."""
    space = template.space
    scale = space.scale * _ZOOM
    thickness = generator.uniform(0.75, 1.15) * (0.8 if traits.is_female else 1.15) * (1 if traits.is_adult else 0.75)
    lift = generator.normal(_BROW_LIFT, _BROW_LIFT_STD)
    centres = [np.array([template.landmark_place(point) for point in brow]) - np.array([0, lift]) for brow in _BROWS]
    low = np.floor((np.concatenate(centres).min(0) - 20) * space.scale).astype(int)
    high = np.ceil((np.concatenate(centres).max(0) + 20) * space.scale).astype(int)
    picture = Image.new("L", (int(high[0] - low[0]) * _ZOOM, int(high[1] - low[1]) * _ZOOM), 0)
    draw = ImageDraw.Draw(picture)
    for centre in centres:
        line = smooth_curve(centre, 20)
        width = 4.4 * thickness * np.interp(np.linspace(0, 4, 20), [0, 1, 2.6, 3.6, 4], [0.25, 0.7, 1, 1, 0.7])
        outline = np.concatenate([line - [0, 0.8] * width[:, None], (line + [0, 0.8] * width[:, None])[::-1]])
        pixels = outline * scale - low * _ZOOM
        draw.polygon([tuple(point) for point in pixels], fill=int(120 * min(1, thickness)))
        hairs, shades = _brow_hairs(generator, centre, line, width, int(340 * thickness))
        pixels = hairs * scale - np.tile(low * _ZOOM, 2)
        for hair, shade in zip(pixels.tolist(), shades.tolist(), strict=True):
            draw.line(hair, fill=shade, width=max(1, round(scale)))
    picture = picture.filter(ImageFilter.GaussianBlur(0.9 * space.scale))
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    mask = np.asarray(picture.resize(size, Image.Resampling.BOX), np.float32)[..., None] / 255
    mask = np.minimum(1.5 * mask, 1) * np.float32(0.92 if traits.is_adult else 0.75)
    window = (slice(low[1], high[1]), slice(low[0], high[0]))
    skin[window] += (_brow_colour(traits) - skin[window]) * mask
    shine[window] *= 1 - mask[..., 0]


def _brow_hairs(
    generator: np.random.Generator, corners: np.ndarray, line: np.ndarray, width: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw hairs: segments (count, 4) in texture units, and their shades (count,)."""
    along = generator.beta(1.15, 1.05, count) * 4
    steps = np.linspace(0, 4, len(line))
    half_width = np.interp(along, steps, width)
    roots = np.stack([np.interp(along, steps, line[:, axis]) for axis in (0, 1)], 1)
    roots[:, 0] += generator.normal(0, 0.7, count)
    roots[:, 1] += np.clip(generator.normal(0, 0.55 * half_width), -half_width, half_width)
    outwards = corners[:-1] - corners[1:]
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    direction = outwards[np.minimum(along.astype(int), 3)] * np.interp(along, [0, 4], [5.5, 2.6])[:, None]
    direction[:, 1] += 3 * np.interp(along, [0, 2, 4], [0.2, -0.35, -0.9])
    tips = roots + direction * generator.uniform(0.7, 1.2, (count, 1))
    return np.concatenate([roots, tips], 1), generator.integers(140, 235, count)


def _brow_colour(traits: Traits) -> np.ndarray:
    fair = traits.race == "caucasian" and traits.hair.mean() > 0.12 and traits.greyness < 0.3
    return traits.hair * np.float32(0.45 if fair else 0.6 if traits.greyness >= 0.5 else 0.75)


def paint_beard(template: Template, generator: np.random.Generator, traits: Traits, skin: np.ndarray) -> None:
    """Give some men stubble or a beard, in place."""
    if traits.is_female or traits.age_axis <= 0.62:
        return
    kind = generator.random()
    if kind >= 0.55:
        return
    space = template.space
    lower_lip = template.reference[template.landmarks[57], 1]
    upper_lip = template.reference[template.landmarks[51], 1]
    zone = space.discs(
        [
            (space.place(0, lower_lip - 0.16), 60, 34),
            (space.place(0, upper_lip + 0.06), 30, 8),
            (space.place(-0.55, lower_lip + 0.05), 26, 45),
            (space.place(0.55, lower_lip + 0.05), 26, 45),
        ]
    )[..., None]
    zone *= 1 - template.paint.lips
    space.tint(zone, space.place(0, lower_lip - 0.09), (9, 5), -0.6)
    if kind < 0.35:
        stubble = zone * np.float32(generator.uniform(0.10, 0.30) * (0.5 if traits.has_dark_skin else 1))
        skin += (0.45 * traits.hair - skin) * stubble
    else:
        grain = np.clip(0.75 + 0.5 * space.noise(generator, 260)[..., None], 0, 1.3)
        beard = np.clip((zone - 0.35) * 2.2, 0, 1) * np.clip(grain, 0.2, 1) * np.float32(0.85)
        skin += (traits.hair * grain - skin) * beard


def grow_scalp(template: Template, generator: np.random.Generator, traits: Traits) -> Scalp:
    """Draw the hairline and the volume of the hair."""
    space, reference = template.space, template.reference
    front = 7.98 + generator.normal(0, 0.05) + (0 if traits.is_female else 0.10 * traits.ageing)
    drops = np.array([0, -0.01, -0.08, -0.22, -0.40, -0.62, -0.75])
    heights = np.concatenate([front + drops, [7.45, 6.9, 6.35]])
    line = np.interp(np.degrees(np.abs(space.column_angles)), _HAIRLINE_ANGLES, heights)
    line += 0.012 * np.interp(np.linspace(0, 1, space.width), np.linspace(0, 1, 120), generator.normal(size=120))
    mask = np.clip((space.row_heights[:, None] - line) / 0.16 + 0.5, 0, 1).astype(np.float32)
    grown = np.zeros(len(reference), np.float32)
    grown[template.skin] = space.sample(mask)[template.skin] * (reference[template.skin, 1] > 6.3)
    x, y, z = np.abs(reference[:, 0]), reference[:, 1], reference[:, 2]
    grown[(x > 0.72) & (y > 6.8) & (y < 7.5) & (z > 0) & (z < 0.62)] = 0  # ears
    thickness = {"bald": 0.0, "buzz": 0.015, "short": generator.uniform(0.06, 0.16), "tied": 0.05, "long": 0.06}
    bumps = 0.75 + 0.25 * np.sin(7 * space.angles + generator.uniform(0, 6)) * np.cos(9 * y)
    crown = 0.6 + 0.6 * np.clip((y - 7.6) / 0.8, 0, 1)
    return Scalp(mask, (grown * thickness[traits.hairstyle] * bumps * crown).astype(np.float32))


def paint_scalp(
    template: Template,
    generator: np.random.Generator,
    traits: Traits,
    scalp: Scalp,
    skin: np.ndarray,
    shine: np.ndarray,
) -> None:
    """Paint the scalp hair as strands, in place."""
    cover = _SCALP_COVER[traits.hairstyle]
    if cover == 0:
        return
    space = template.space
    rows = slice(0, int(np.flatnonzero(scalp.mask.any(1))[-1]) + 1)
    mask = scalp.mask[rows] * np.float32(cover)
    strands = 1 + 0.45 * space.streaks(generator, 260)[rows] + 0.12 * space.noise(generator, 120, 2)[rows]
    hair = traits.hair * np.clip(strands, 0.35, 2)[..., None]
    skin[rows] += (hair - skin[rows]) * mask[..., None]
    shine[rows] += (0.05 - shine[rows]) * mask
