"""The cylindrical texture that is wrapped around every head, and the brushes that paint it."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

AXIS_DEPTH = 0.35
"""Forward position of the vertical axis that the texture is wrapped around, decimetres."""

_HALF_ANGLE = np.radians(110)
_TOP, _BOTTOM = 8.55, 5.75
_UNITS_WIDE = 640
_UNITS_HIGH = 512

Point = tuple[float, float]


class TextureSpace:
    """Maps points of the reference head to the texture and paints soft shapes on it.

    Brushes are measured in texture units, 1/640 of the width (0.066 mm of the reference face), so
    that the same drawing fits any resolution.

    Args:
        reference: vertices of the reference head in decimetres, (V, 3).
        skin: indices of the skin's vertices.
        image_size: side of the images to be rendered; the texture is about as fine as they need.
    """

    def __init__(self, reference: np.ndarray, skin: np.ndarray, image_size: int) -> None:
        self.width = int(np.clip(5 * image_size // 64 * 64, 320, 640))
        self.height = self.width * _UNITS_HIGH // (2 * _UNITS_WIDE) * 2  # wrinkles are stored at half of it
        self.scale = self.width / _UNITS_WIDE
        angles = np.arctan2(reference[:, 0], reference[:, 2] - AXIS_DEPTH)
        self.angles = angles
        self.u = np.clip((angles / _HALF_ANGLE + 1) / 2, 0, 1)
        self.v = np.clip((_TOP - reference[:, 1]) / (_TOP - _BOTTOM), 0, 1)
        front = skin[reference[skin, 2] > 0.3]
        self._front = reference[front]

    @cached_property
    def column_angles(self) -> np.ndarray:
        """Angle of each texture column from straight ahead, radians, (width,)."""
        return np.linspace(-1, 1, self.width, dtype=np.float32) * np.float32(_HALF_ANGLE)

    @cached_property
    def row_heights(self) -> np.ndarray:
        """Height of each texture row on the head, decimetres, (height,)."""
        return _TOP - np.linspace(0, 1, self.height, dtype=np.float32) * np.float32(_TOP - _BOTTOM)

    def corner_coordinates(self, triangles: np.ndarray) -> np.ndarray:
        """Return texture coordinates in [0, 1] of triangle corners, (T, 3, 2), float32."""
        coordinates = np.stack([self.u[triangles], self.v[triangles]], -1)
        angles = self.angles[triangles]
        around_the_back = angles.max(1) - angles.min(1) > np.pi
        coordinates[around_the_back, :, 0] = 1
        return coordinates.astype(np.float32)

    def of_vertex(self, vertex: int) -> Point:
        """Return the place of a vertex, texture units."""
        return float(self.u[vertex] * (_UNITS_WIDE - 1)), float(self.v[vertex] * (_UNITS_HIGH - 1))

    def place(self, x: float, y: float, z: float | None = None) -> Point:
        """Return the place of a point of the reference head, texture units.

        Args:
            x: to the person's left, decimetres.
            y: up, decimetres.
            z: forward, decimetres; by default that of the nearest skin in front.
        """
        if z is None:
            distances = (self._front[:, 0] - x) ** 2 + (self._front[:, 1] - y) ** 2
            z = float(self._front[np.argmin(distances), 2])
        angle = np.arctan2(x, z - AXIS_DEPTH)
        across = (angle / _HALF_ANGLE + 1) / 2
        down = (_TOP - y) / (_TOP - _BOTTOM)
        return float(across * (_UNITS_WIDE - 1)), float(down * (_UNITS_HIGH - 1))

    def sample(self, layer: np.ndarray) -> np.ndarray:
        """Return a layer's value at every vertex, (V, ...)."""
        rows = (self.v * (self.height - 1)).astype(int)
        columns = (self.u * (self.width - 1)).astype(int)
        return layer[rows, columns]

    def soft_disc(self, centre: Point, radius_x: float, radius_y: float) -> tuple[tuple[slice, slice], np.ndarray]:
        """Return a Gaussian disc as a window of the texture and its weights in [0, 1], (h, w, 1).

        Only the window of three radii is computed; beyond it the disc is below 0.0002.
        """
        x, y = centre[0] * self.scale, centre[1] * self.scale
        radius_x, radius_y = radius_x * self.scale, radius_y * self.scale
        left, right = max(0, int(x - 3 * radius_x)), min(self.width, int(x + 3 * radius_x) + 2)
        top, bottom = max(0, int(y - 3 * radius_y)), min(self.height, int(y + 3 * radius_y) + 2)
        across = np.exp(-(((np.arange(left, right, dtype=np.float32) - x) / radius_x) ** 2))
        down = np.exp(-(((np.arange(top, bottom, dtype=np.float32) - y) / radius_y) ** 2))
        window = (slice(top, max(top, bottom)), slice(left, max(left, right)))
        return window, (down[:, None] * across)[..., None].astype(np.float32)

    def tint(self, layer: np.ndarray, centre: Point, radii: tuple[float, float], change: np.ndarray | float) -> None:
        """Multiply a layer in place by ``1 + disc * change``, channel by channel."""
        window, disc = self.soft_disc(centre, *radii)
        layer[window] *= 1 + disc * np.asarray(change, np.float32)

    def discs(self, shapes: Sequence[tuple[Point, float, float]]) -> np.ndarray:
        """Return the clipped sum of soft discs (centre, radius_x, radius_y), (height, width)."""
        layer = np.zeros((self.height, self.width), np.float32)
        for centre, radius_x, radius_y in shapes:
            window, disc = self.soft_disc(centre, radius_x, radius_y)
            layer[window] += disc[..., 0]
        return np.minimum(layer, 1)

    def noise(self, generator: np.random.Generator, cells: int, octaves: int = 1) -> np.ndarray:
        """Return smooth noise of about unit deviation, (height, width), float32.

        Args:
            generator: draws a grid whose size depends on ``cells`` only.
            cells: grid cells across the width.
            octaves: layers, each twice as fine and half as strong as the one before.
        """
        return smooth_noise(generator, self.height, self.width, cells, octaves)

    def streaks(self, generator: np.random.Generator, cells: int) -> np.ndarray:
        """Return noise stretched from top to bottom, like strands of hair, (height, width), float32."""
        grid = generator.standard_normal((4, cells), dtype=np.float32)
        return _enlarge(grid, self.height, self.width)

    def curve(self, points: Sequence[Point], width: float, blur: float, strength: float = 1.0) -> np.ndarray:
        """Return a soft line through points (texture units) that fades at its ends, (height, width)."""
        line = smooth_curve(points, 24)
        fade = np.sin(np.linspace(0.12, np.pi - 0.12, len(line) - 1)) ** 0.7
        picture = Image.new("L", (self.width, self.height), 0)
        draw = ImageDraw.Draw(picture)
        line = line * self.scale
        for start, end, shade in zip(line[:-1], line[1:], fade, strict=True):
            draw.line([tuple(start), tuple(end)], fill=int(255 * shade), width=max(1, round(width * self.scale)))
        return strength * self.soften(picture, blur)

    def polygons(self, outlines: Sequence[Sequence[Point]], blur: float) -> np.ndarray:
        """Return filled outlines (texture units) with soft edges, (height, width), in [0, 1]."""
        picture = Image.new("L", (self.width, self.height), 0)
        draw = ImageDraw.Draw(picture)
        for outline in outlines:
            draw.polygon([(x * self.scale, y * self.scale) for x, y in outline], fill=255)
        return self.soften(picture, blur)

    def soften(self, picture: Image.Image, blur: float) -> np.ndarray:
        """Blur a drawing by a radius in texture units; returns (height, width), float32, in [0, 1]."""
        return np.asarray(picture.filter(ImageFilter.GaussianBlur(blur * self.scale)), np.float32) / 255


def smooth_noise(generator: np.random.Generator, height: int, width: int, cells: int, octaves: int) -> np.ndarray:
    """Return smooth noise, (height, width), float32; see :meth:`TextureSpace.noise`."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        columns = cells * 2**octave
        rows = max(2, columns * 4 // 5)
        grid = generator.standard_normal((rows, columns), dtype=np.float32)
        total += _enlarge(grid, height, width) / 2**octave
    return total


def smooth_curve(points: Sequence[Point] | np.ndarray, count: int) -> np.ndarray:
    """Return ``count`` points along a polyline with rounded corners, (count, 2)."""
    corners = np.asarray(points, float)
    steps = np.linspace(0, len(corners) - 1, count)
    line = np.stack([np.interp(steps, np.arange(len(corners)), corners[:, axis]) for axis in (0, 1)], 1)
    for _ in range(3):
        line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    return line


def _enlarge(grid: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC), np.float32)
