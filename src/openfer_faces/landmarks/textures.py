"""Textures and shapes that no renderer drew: what is pasted over faces and put behind them in training."""

import numpy as np
from PIL import Image

_PLAIN, _CLOUDS, _STRIPES = range(3)


def random_texture(size: int, other: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a picture of plain colour, clouds, stripes, or a magnified piece of another face.

    Args:
        size: side in pixels.
        other: a face to cut a piece from, RGB, uint8, (T, T, 3).
        generator: of every draw.

    Returns:
        RGB, uint8, (size, size, 3).
    """
    if generator.random() < 0.45:
        return _piece(other, size, generator)
    colour = generator.uniform(0, 255, 3) if generator.random() < 0.7 else np.full(3, generator.uniform(0, 255))
    relief: np.ndarray
    kind = generator.integers(3)
    if kind == _PLAIN:
        relief = np.zeros((size, size, 1))
    elif kind == _CLOUDS:
        cells = int(2 ** generator.uniform(1, 6))
        coarse = generator.integers(0, 256, (cells, cells, 3 if generator.random() < 0.5 else 1), dtype=np.uint8)
        relief = _enlarge(np.broadcast_to(coarse, (cells, cells, 3)), size) / 127.5 - 1
    else:
        places = np.arange(size, dtype=np.float32)
        angle, period = generator.uniform(0, np.pi), generator.uniform(3, 30)
        wave = np.sin((np.cos(angle) * places + np.sin(angle) * places[:, None]) * np.float32(2 * np.pi / period))
        relief = wave[..., None]
    contrast = generator.uniform(10, 110)
    return np.clip(colour + contrast * relief, 0, 255).astype(np.uint8)


def random_shape(size: int, generator: np.random.Generator) -> np.ndarray:
    """Return where a patch covers a crop: a turned rectangle or ellipse, or all beyond a line; (size, size), bool."""
    places = np.arange(size, dtype=np.float32) + 0.5
    angle = generator.uniform(0, np.pi)
    across = places - generator.uniform(0.1, 0.9) * size
    down = places[:, None] - generator.uniform(0.1, 0.95) * size
    along = np.cos(angle) * across + np.sin(angle) * down
    aside = np.cos(angle) * down - np.sin(angle) * across
    kind = generator.random()
    if kind < 0.15:
        return aside > generator.uniform(0.0, 0.3) * size
    half_length, half_width = generator.uniform(0.06, 0.35) * size, generator.uniform(0.05, 0.22) * size
    if kind < 0.6:
        return (abs(along) < half_length) & (abs(aside) < half_width)
    return (along / half_length) ** 2 + (aside / half_width) ** 2 < 1


def covered(points: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Tell which points lie under a shape.

    Args:
        points: in pixels, (K, 2).
        shape: what is covered, (S, S), bool.

    Returns:
        (K,), bool; a point outside the crop is not covered.
    """
    size = len(shape)
    columns, rows = np.floor(points).astype(int).T
    inside = (columns >= 0) & (columns < size) & (rows >= 0) & (rows < size)
    return inside & shape[rows.clip(0, size - 1), columns.clip(0, size - 1)]


def _piece(face: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    side = int(generator.uniform(0.15, 0.8) * len(face))
    top, left = generator.integers(0, len(face) - side, 2)
    piece = _enlarge(face[top : top + side, left : left + side], size)
    if generator.random() < 0.5:
        piece = np.rot90(piece, int(generator.integers(1, 4)))
    return np.clip(piece * generator.uniform(0.6, 1.4, 3), 0, 255).astype(np.uint8)


def _enlarge(picture: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((size, size), Image.Resampling.BICUBIC))
