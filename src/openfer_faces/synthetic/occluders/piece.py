"""A piece of geometry that is added to the head."""

from dataclasses import dataclass

import numpy as np

from openfer_faces.synthetic.parts import split
from openfer_faces.synthetic.renderer.materials import Material


@dataclass(frozen=True)
class Piece:
    """Triangles of one material.

    Attributes:
        vertices: decimetres, (V, 3).
        triangles: vertex indices, (T, 3).
        material: of all its triangles.
        corners: texture coordinates of the triangles' corners, (T, 3, 2), where the material needs them.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    material: Material
    corners: np.ndarray | None = None


def sheet(grid: np.ndarray, material: Material) -> Piece:
    """Return the surface through a grid of points (rows, columns, 3)."""
    rows, columns = grid.shape[:2]
    number = np.arange(rows * columns).reshape(rows, columns)
    quads = np.stack([number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]], -1).reshape(-1, 4)
    return Piece(grid.reshape(-1, 3), split(quads), material)


def ribbon(line: np.ndarray, half_width: np.ndarray, material: Material) -> Piece:
    """Return a band along a line (N, 3), reaching ``half_width`` (3,) or (N, 3) to both sides."""
    return sheet(np.stack([line + half_width, line - half_width], 1), material)
