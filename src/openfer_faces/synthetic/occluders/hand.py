"""A hand before mouth, cheek or eye."""

import numpy as np

from openfer_faces.synthetic.landmarks import LEFT_EYE, LEFT_MOUTH_CORNER, OUTER_LIPS
from openfer_faces.synthetic.occluders.piece import Piece
from openfer_faces.synthetic.renderer.materials import Material

_WRIST = 3.95
_OUTER_EYE_CORNER = 45


class Hand:
    """The assets' left hand in a frame of its own: x across the palm, y along the fingers, z its normal.

    Args:
        vertices: hand and forearm as they hang from the body, decimetres, (H, 3).
        triangles: vertex indices, (K, 3).
    """

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray) -> None:
        fingers = vertices[:, 0] > _WRIST
        centre = vertices[fingers].mean(0)
        axes = np.linalg.svd(vertices[fingers] - centre, full_matrices=False)[2]
        along, normal = axes[0], axes[2]
        if (vertices[~fingers].mean(0) - centre) @ along > 0:
            along = -along
        self._vertices = (vertices - centre) @ np.stack([np.cross(along, normal), along, normal], 1)
        self._triangles = triangles

    def hold(self, points: np.ndarray, generator: np.random.Generator, yaw: float) -> list[Piece]:
        """Return a hand held to the face.

        Args:
            points: the neutral face's 68 landmarks, decimetres, (68, 3).
            generator: draws place, side, size and angle.
            yaw: of the camera; seen from the side, the hand comes from there.
        """
        place = ("mouth", "cheek", "eye")[generator.integers(3)]
        drawn_side = (-1.0, 1.0)[generator.integers(2)]
        side = float(np.sign(yaw)) if abs(yaw) > 20 else drawn_side
        size = generator.uniform(0.82, 0.95)
        if place == "mouth":
            centre = points[OUTER_LIPS].mean(0) + np.array([side * 0.15, -0.05, 0.30])
            tilt = generator.uniform(50, 80)
        elif place == "cheek":
            cheek = (points[LEFT_MOUTH_CORNER] + points[_OUTER_EYE_CORNER]) / 2 * [side, 1, 1]
            centre = cheek + np.array([side * 0.15, -0.20, 0.22])
            tilt = generator.uniform(0, 30)
        else:
            centre = points[LEFT_EYE].mean(0) * [side, 1, 1] + np.array([side * 0.12, -0.12, 0.38])
            tilt = generator.uniform(15, 50)
        roll = np.radians(tilt) * side
        turn = np.radians(generator.uniform(5, 25)) * side
        around_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
        around_y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
        vertices = (self._vertices * [side * size, size, size]) @ (around_y @ around_z).T + centre
        triangles = self._triangles if side > 0 else self._triangles[:, ::-1]
        return [Piece(vertices, triangles, Material.HAND)]
