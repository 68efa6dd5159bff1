"""A rendered face made unlike any other: aligned as a detector would, covered, recoloured, blurred, compressed."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from openfer.faces.mirror import MIRROR, mirror_points
from openfer.faces.template import apply, similarity, template_points, warp
from openfer_faces.landmarks.settings import AugmentSettings
from openfer_faces.landmarks.textures import covered, random_shape, random_texture

_HULL_MARGIN = (1.02, 1.5)
"""How far beyond the points' own outline the face is kept when another background is put behind it."""


@dataclass(frozen=True)
class KnownFace:
    """A face whose points are known.

    Attributes:
        image: RGB, uint8, (S, S, 3).
        points5: eye centres, nose tip, mouth corners in its pixels, (5, 2).
        points68: in its pixels, (68, 2).
        visible68: whether the camera sees each, (68,), bool.
    """

    image: np.ndarray
    points5: np.ndarray
    points68: np.ndarray
    visible68: np.ndarray


def align(face: KnownFace, size: int, turn: np.ndarray | None = None, moved: np.ndarray | None = None) -> KnownFace:
    """Cut a face out as the canonical frame shows it.

    Args:
        face: in any frame.
        size: side of the crop, pixels.
        turn: a similarity of the crop put behind the alignment, (2, 3).
        moved: offsets of the five points before they are aligned, crop pixels, (5, 2).

    Returns:
        The same face in the crop; a point outside the crop is not visible.
    """
    transform = similarity(face.points5, template_points(size) + (0 if moved is None else moved))
    if turn is not None:
        transform = np.column_stack([turn[:, :2] @ transform[:, :2], turn[:, :2] @ transform[:, 2] + turn[:, 2]])
    points = apply(transform, face.points68)
    inside = ((points >= 0) & (points < size)).all(1)
    image = warp(face.image, transform, size)
    return KnownFace(image, apply(transform, face.points5), points, face.visible68 & inside)


def augment(
    face: KnownFace,
    other: np.ndarray,
    size: int,
    settings: AugmentSettings,
    generator: np.random.Generator,
) -> KnownFace:
    """Return a varied, aligned crop of a known face.

    Args:
        face: as rendered.
        other: another face, of which pieces are pasted; RGB, uint8, (T, T, 3).
        size: side of the crop, pixels.
        settings: how much varies.
        generator: of every draw.
    """
    moved = generator.normal(0, settings.detector_noise * size, (5, 2))
    aligned = align(face, size, _turn(size, settings, generator), moved)
    image, points, visible = aligned.image, aligned.points68, aligned.visible68
    points5 = aligned.points5
    if generator.random() < 0.5:
        image, points, visible = image[:, ::-1], mirror_points(points, size), visible[MIRROR]
        points5 = np.column_stack([size - points5[:, 0], points5[:, 1]])[[1, 0, 2, 4, 3]]
    if generator.random() < settings.background_share:
        behind = ~_outline(points, size, generator.uniform(*_HULL_MARGIN))
        image = np.where(behind[..., None], random_texture(size, other, generator), image)
    if generator.random() < settings.occluded_share:
        for _ in range(generator.integers(1, 4)):
            shape = random_shape(size, generator)
            image = _paste(image, random_texture(size, other, generator), shape, generator)
            visible = visible & ~covered(points, shape)
    return KnownFace(_photograph(image, settings, generator), points5, points, visible)


def _turn(size: int, settings: AugmentSettings, generator: np.random.Generator) -> np.ndarray:
    """Return what alignment leaves: a turn and a zoom about the centre, and a shift, (2, 3)."""
    angle = np.radians(generator.normal(0, settings.roll_std))
    zoom = np.exp(generator.normal(0, settings.zoom_std))
    linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.full(2, size / 2)
    shift = generator.normal(0, settings.shift_std * size, 2)
    return np.column_stack([linear, centre - linear @ centre + shift])


def _outline(points: np.ndarray, size: int, margin: float) -> np.ndarray:
    """Return the inside of an ellipse around the face, (size, size), bool."""
    low, high = points.min(0), points.max(0)
    low = np.array([low[0], low[1] - 0.35 * (high[1] - low[1])])  # the forehead has no points
    centre, half = (low + high) / 2, (high - low) / 2 * margin
    places = np.arange(size) + 0.5
    # between an ellipse and a rectangle, as the outline of a jaw is
    across, down = (abs(places - middle) / extent for middle, extent in zip(centre, half, strict=True))
    return down[:, None] ** 2.5 + across**2.5 < 1


def _paste(image: np.ndarray, texture: np.ndarray, shape: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Paste a texture, often with a soft edge, as occluders in photographs have."""
    cover = Image.fromarray(shape.astype(np.uint8) * 255)
    if generator.random() < 0.7:
        cover = cover.filter(ImageFilter.GaussianBlur(generator.uniform(0.3, 1.5)))
    share = np.asarray(cover, np.float32)[..., None] / 255
    return (image * (1 - share) + texture * share).astype(np.uint8)


def _photograph(image: np.ndarray, settings: AugmentSettings, generator: np.random.Generator) -> np.ndarray:
    """Vary light and colour, sharpness, noise and compression."""
    values = image.astype(np.float32) / 255
    values = values ** np.float32(np.exp(generator.normal(0, 0.35)))
    values = (values - 0.5) * generator.uniform(0.6, 1.3) + 0.5 + generator.normal(0, 0.08)
    grey = values.mean(2, keepdims=True)
    saturation = 0.0 if generator.random() < settings.grey_share else generator.uniform(0.3, 1.6)
    values = grey + (values - grey) * saturation
    if saturation:
        values = values * generator.normal(1, 0.08, 3)
    picture = Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))
    size = picture.width
    if generator.random() < 0.3:
        coarse = int(size * generator.uniform(0.3, 1))
        picture = picture.resize((coarse, coarse), Image.Resampling.BILINEAR).resize((size, size))
    if generator.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(generator.uniform(0.3, 1.4)))
    if generator.random() < 0.3:
        picture = picture.filter(ImageFilter.UnsharpMask(generator.uniform(1, 2.5), int(generator.uniform(50, 250))))
    values = np.asarray(picture, np.float32)
    if generator.random() < 0.6:
        strength = generator.uniform(1, 14)
        values = values + strength * generator.standard_normal(values.shape, dtype=np.float32)
    picture = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    if generator.random() < 0.4:
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=int(generator.integers(25, 95)))
        picture = Image.open(buffer)
    return np.asarray(picture)
