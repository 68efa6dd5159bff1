"""Locks of hair that fall over one side of the face."""

import numpy as np

from openfer_faces.synthetic.landmarks import EYES
from openfer_faces.synthetic.occluders.piece import Piece, ribbon
from openfer_faces.synthetic.renderer.materials import Material
from openfer_faces.synthetic.template import Template
from openfer_faces.synthetic.texture_space import AXIS_DEPTH

_CELLS = (48, 40)
_LOW, _HIGH = 5.6, 8.6


def hair_locks(template: Template, vertices: np.ndarray, generator: np.random.Generator) -> list[Piece]:
    """Return locks that hang from the crown along the head's surface.

    Args:
        template: what all people share.
        vertices: the neutral head, decimetres, (V, 3).
        generator: draws number, place and length of the locks.
    """
    radius = _radius_map(vertices[template.skin])
    side = (-1, 1)[generator.integers(2)]
    eye = vertices[template.landmarks[EYES], 1].mean()
    along = np.linspace(0, 1, 14)
    pieces = []
    for _ in range(generator.integers(26, 40)):
        start, end = generator.normal(side * 0.12, 0.16), side * generator.uniform(0.12, 0.95)
        top, tip = generator.uniform(8.02, 8.3), eye + generator.uniform(-0.55, 0.12)
        angle = start + (end - start) * along**1.2 + generator.normal(0, 0.02) * np.sin(6 * along)
        height = top + (tip - top) * along**1.1
        lift = 0.05 + 0.05 * np.sin(np.pi * along) + generator.uniform(0, 0.04)
        distance = _look_up(radius, angle, height) + lift
        line = np.stack([distance * np.sin(angle), height, AXIS_DEPTH + distance * np.cos(angle)], -1)
        across = np.stack([np.cos(angle), np.full_like(angle, 0.25), -np.sin(angle)], -1)
        half_width = 0.035 * (1 - 0.75 * along) * generator.uniform(0.7, 1.3)
        pieces.append(ribbon(line, across * half_width[:, None], Material.HAIR_LOCK))
    return pieces


def _radius_map(points: np.ndarray) -> np.ndarray:
    """Return the head's distance from its vertical axis by angle and height, slightly smoothed."""
    angle = np.arctan2(points[:, 0], points[:, 2] - AXIS_DEPTH)
    columns = ((angle / np.pi + 1) / 2 * _CELLS[0]).astype(int).clip(0, _CELLS[0] - 1)
    rows = ((points[:, 1] - _LOW) / (_HIGH - _LOW) * _CELLS[1]).astype(int).clip(0, _CELLS[1] - 1)
    radius = np.zeros(_CELLS)
    np.maximum.at(radius, (columns, rows), np.hypot(points[:, 0], points[:, 2] - AXIS_DEPTH))
    for _ in range(6):
        radius = np.where(radius > 0, radius, np.max(_neighbours(radius), 0))
    for _ in range(2):
        radius = np.maximum(radius, 0.5 * radius + 0.125 * np.sum(_neighbours(radius), 0))
    return radius


def _neighbours(grid: np.ndarray) -> list[np.ndarray]:
    return [np.roll(grid, step, axis) for step in (-1, 1) for axis in (0, 1)]


def _look_up(radius: np.ndarray, angle: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Interpolate the radius map bilinearly."""
    x = ((angle / np.pi + 1) / 2 * _CELLS[0] - 0.5).clip(0, _CELLS[0] - 1.001)
    y = ((height - _LOW) / (_HIGH - _LOW) * _CELLS[1] - 0.5).clip(0, _CELLS[1] - 1.001)
    i, j = x.astype(int), y.astype(int)
    right, up = x - i, y - j
    low = radius[i, j] * (1 - right) + radius[i + 1, j] * right
    high = radius[i, j + 1] * (1 - right) + radius[i + 1, j + 1] * right
    return low * (1 - up) + high * up
