"""The view from a distant light: a parallel projection, for shadows and for ambient occlusion."""

import numpy as np


def light_view(direction: np.ndarray, centre: np.ndarray, radius: float, side: int) -> np.ndarray:
    """Return the matrix from the scene to a light's pixels.

    Args:
        direction: unit vector towards the light, (3,).
        centre: middle of what the light sees, decimetres, (3,).
        radius: half of the width that it sees, decimetres.
        side: pixels across.

    Returns:
        Shape (4, 4); the third row is depth, smaller towards the light.
    """
    helper = np.array([0.0, 1.0, 0.0]) if abs(direction[1]) < 0.95 else np.array([1.0, 0.0, 0.0])
    right = np.cross(helper, direction)
    right /= np.linalg.norm(right)
    up = np.cross(direction, right)
    scale = side / (2 * radius)
    matrix = np.eye(4)
    matrix[0, :3], matrix[0, 3] = right * scale, side / 2 - scale * (right @ centre)
    matrix[1, :3], matrix[1, 3] = -up * scale, side / 2 + scale * (up @ centre)
    matrix[2, :3], matrix[2, 3] = -direction, direction @ centre
    return matrix
