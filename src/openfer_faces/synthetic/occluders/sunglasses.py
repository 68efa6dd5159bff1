"""Sunglasses: two dark superelliptic lenses with a frame, a bridge and temples."""

import numpy as np

from openfer_faces.synthetic.landmarks import BROWS, EYES, LEFT_EYE, RIGHT_EYE
from openfer_faces.synthetic.occluders.piece import Piece, ribbon, sheet
from openfer_faces.synthetic.renderer.materials import Material

_CURVATURE = 0.28


def sunglasses(points: np.ndarray, generator: np.random.Generator) -> list[Piece]:
    """Return sunglasses fitted to a face.

    Args:
        points: the neutral face's 68 landmarks, decimetres, (68, 3).
        generator: draws size and form of the lenses.
    """
    half_width, half_height = generator.uniform(0.245, 0.285), generator.uniform(0.15, 0.22)
    squareness = generator.uniform(2.2, 4.5)
    front = max(points[BROWS, 2].max(), points[EYES, 2].max()) + 0.10
    radius, angle = np.meshgrid(np.linspace(0, 1, 7), np.linspace(0, 2 * np.pi, 33), indexing="ij")
    cosine, sine = np.cos(angle), np.sin(angle)
    outline = (np.abs(cosine) ** squareness + np.abs(sine) ** squareness) ** (-1 / squareness)
    pieces = []
    for side, eye in ((-1, RIGHT_EYE), (1, LEFT_EYE)):
        centre = points[eye].mean(0) + np.array([side * 0.01, -0.03, 0])

        def lens(scale: np.ndarray, lift: float, centre: np.ndarray = centre) -> np.ndarray:
            x = centre[0] + half_width * scale * outline * cosine
            y = centre[1] + half_height * scale * outline * sine
            return np.stack([x, y, front - _CURVATURE * np.abs(x) ** 1.6 + lift], -1)

        pieces.append(sheet(lens(radius, 0.0), Material.LENS))
        pieces.append(sheet(lens(1 + 0.10 * radius, 0.012), Material.FRAME))
        pieces.append(_temple(side, centre[0] - side * 0.01 + side * half_width * 1.08, centre[1] + 0.06, front))
    x = np.linspace(-0.09, 0.09, 5)
    height = points[EYES, 1].mean() + 0.03
    bridge = np.stack([x, height + 0.03 * np.cos(15 * x), np.full(5, front + 0.01)], -1)
    pieces.append(ribbon(bridge, np.array([0, 0.02, 0]), Material.FRAME))
    return pieces


def _temple(side: int, hinge: float, height: float, front: float) -> Piece:
    along, stops = np.linspace(0, 1, 6), (0, 0.15, 1)
    x = np.interp(along, stops, [hinge, side * 0.70, side * 0.80])
    z = np.interp(along, stops, [front - _CURVATURE * abs(hinge) ** 1.6, 1.0, 0.28])
    return ribbon(np.stack([x, np.full(6, height), z], -1), np.array([0, 0.035, 0]), Material.FRAME)
