"""Occluders for measurement: glasses, a mask and a hand, cut from other pictures and pasted on known faces.

They are laid out in the canonical frame, and look unlike the random shapes and drawn textures that the
regressor is trained with: what is measured on them was not practised.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from openfer.faces.template import template_points
from openfer_faces.landmarks.textures import covered

KINDS = ("none", "glasses", "mask", "hand")


@dataclass(frozen=True)
class Pasted:
    """A crop with a pasted occluder.

    Attributes:
        image: RGB, uint8, (S, S, 3).
        cover: covered pixels, (S, S), bool.
        kind: one of :data:`KINDS`.
    """

    image: np.ndarray
    cover: np.ndarray
    kind: str

    def visible(self, points: np.ndarray) -> np.ndarray:
        """Tell which points, (68, 2) in pixels, lie inside the crop and under nothing, (68,), bool."""
        inside = ((points >= 0) & (points < len(self.cover))).all(1)
        return inside & ~covered(points, self.cover)


def paste(crop: np.ndarray, other: np.ndarray, kind: str, generator: np.random.Generator) -> Pasted:
    """Paste an occluder whose surface is a piece of another picture.

    Args:
        crop: aligned, RGB, uint8, (S, S, 3).
        other: the picture that gives the surface, RGB, uint8.
        kind: one of :data:`KINDS`.
        generator: of place, form and piece.
    """
    size = len(crop)
    draw = {"none": _nothing, "glasses": _glasses, "mask": _mask, "hand": _hand}[kind]
    picture = Image.new("L", (size, size))
    draw(ImageDraw.Draw(picture), size, generator)
    cover = np.asarray(picture) > 0
    return Pasted(np.where(cover[..., None], _surface(other, size, generator), crop), cover, kind)


def _surface(other: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """Return a piece of a picture, magnified, turned and shaded."""
    side = int(generator.uniform(0.25, 0.6) * len(other))
    top, left = generator.integers(0, len(other) - side, 2)
    piece = Image.fromarray(np.ascontiguousarray(other[top : top + side, left : left + side]))
    piece = piece.rotate(90 * int(generator.integers(1, 4))).resize((size, size), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(piece) * generator.uniform(0.5, 1.2), 0, 255).astype(np.uint8)


def _nothing(draw: ImageDraw.ImageDraw, size: int, generator: np.random.Generator) -> None:
    pass


def _glasses(draw: ImageDraw.ImageDraw, size: int, generator: np.random.Generator) -> None:
    eyes = template_points(size)[:2] + generator.normal(0, 0.012 * size, 2)
    across, down = generator.uniform(0.09, 0.13) * size, generator.uniform(0.06, 0.1) * size
    for x, y in eyes:
        draw.ellipse((x - across, y - down, x + across, y + down), fill=255)
    bridge = 0.012 * size
    draw.rectangle((eyes[0, 0], eyes[0, 1] - bridge, eyes[1, 0], eyes[0, 1] + bridge), fill=255)


def _mask(draw: ImageDraw.ImageDraw, size: int, generator: np.random.Generator) -> None:
    middle, top = (0.5 + generator.normal(0, 0.012)) * size, generator.uniform(0.42, 0.55) * size
    half, chin = generator.uniform(0.24, 0.3) * size, generator.uniform(0.88, 0.98) * size
    sides = top + 0.06 * size
    outline = [(middle, top), (middle + half, sides), (middle + 0.8 * half, 0.78 * size), (middle, chin)]
    draw.polygon([*outline, (middle - 0.8 * half, 0.78 * size), (middle - half, sides)], fill=255)


def _hand(draw: ImageDraw.ImageDraw, size: int, generator: np.random.Generator) -> None:
    """Draw a palm with four fingers, anywhere on the face, pointing anywhere upwards."""
    x, y = generator.uniform(0.25, 0.75) * size, generator.uniform(0.35, 0.85) * size
    palm = generator.uniform(0.08, 0.12) * size
    draw.ellipse((x - palm, y - palm, x + palm, y + palm), fill=255)
    middle = generator.uniform(-1.2, 1.2)
    for finger in range(4):
        angle = middle + 0.28 * (finger - 1.5)
        length = palm * generator.uniform(2.0, 2.8)
        end = (x + length * np.sin(angle), y - length * np.cos(angle))
        thick = 0.42 * palm
        draw.line(((x, y), end), fill=255, width=round(thick))
        draw.ellipse((end[0] - thick / 2, end[1] - thick / 2, end[0] + thick / 2, end[1] + thick / 2), fill=255)
