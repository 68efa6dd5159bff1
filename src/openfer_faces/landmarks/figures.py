"""Pictures of points on faces, coloured by their confidence."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from openfer_faces.landmarks.contract import Crops, Landmarks

_FINE = 3
"""Scale at which pictures are drawn before they are reduced, so that dots are round."""


def faces_with_points(crops: Crops, found: Landmarks, columns: int = 8, cell: int = 200) -> Image.Image:
    """Return a sheet of faces with their points, from red (surely hidden) to green (surely visible), or blue.

    Args:
        crops: N faces.
        found: their points and confidences; points without one are blue.
        columns: faces side by side.
        cell: side of a face on the sheet, pixels.
    """
    rows = -(-len(crops) // columns)
    sheet = Image.new("RGB", (columns * cell, rows * cell), "white")
    for number, crop in enumerate(crops):
        face = _face(crop, found.points[number], found.confidence[number], cell)
        sheet.paste(face, (number % columns * cell, number // columns * cell))
    return sheet


def side_by_side(sheets: Sequence[Image.Image], titles: Sequence[str]) -> Image.Image:
    """Return sheets below each other, each under its title."""
    bar = 24
    whole = Image.new("RGB", (max(s.width for s in sheets), sum(s.height + bar for s in sheets)), "white")
    draw, top = ImageDraw.Draw(whole), 0
    for sheet, title in zip(sheets, titles, strict=True):
        draw.text((6, top + 5), title, fill="black")
        whole.paste(sheet, (0, top + bar))
        top += sheet.height + bar
    return whole


def _face(crop: np.ndarray, points: np.ndarray, confidence: np.ndarray, cell: int) -> Image.Image:
    side = cell * _FINE
    face = Image.fromarray(crop).resize((side, side), Image.Resampling.BICUBIC)
    draw, radius = ImageDraw.Draw(face), 0.009 * side
    for (x, y), sure in zip(points * side / len(crop), confidence, strict=True):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(sure), outline="black")
    return face.resize((cell, cell), Image.Resampling.LANCZOS)


def _colour(sure: float) -> tuple[int, int, int]:
    if np.isnan(sure):
        return (80, 140, 255)
    return (round(255 * min(1.0, 2 - 2 * sure)), round(255 * min(1.0, 2 * sure)), 0)
