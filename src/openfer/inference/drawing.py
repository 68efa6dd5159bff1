"""Boxes and words on an image."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from openfer.inference.rows import Row, probabilities

_COLOURS = {
    "neutral": (180, 180, 180),
    "happiness": (240, 195, 35),
    "sadness": (90, 150, 245),
    "surprise": (245, 130, 40),
    "fear": (180, 125, 240),
    "disgust": (115, 190, 70),
    "anger": (240, 85, 75),
    "contempt": (60, 195, 190),
}
"""Of each expression; black words are readable on all of them."""

_OTHER = (230, 230, 230)
_SMALLEST_WORDS = 11
"""Height in pixels."""


def draw(image: np.ndarray, rows: Sequence[Row]) -> np.ndarray:
    """Return an image with the box, the expression and its probability of every face.

    Args:
        image: RGB, uint8, (H, W, 3).
        rows: of this image; those without a face change nothing.

    Returns:
        RGB, uint8, (H, W, 3).
    """
    picture = Image.fromarray(image)
    pen = ImageDraw.Draw(picture)
    shorter = min(image.shape[:2])
    width = max(1, round(shorter / 240))
    font = ImageFont.load_default(max(_SMALLEST_WORDS, round(shorter / 32)))
    for row in rows:
        if "face" not in row:
            continue
        name = row["expression"]
        colour = _COLOURS.get(name, _OTHER)
        pen.rectangle([row["left"], row["top"], row["right"], row["bottom"]], outline=colour, width=width)
        track = "" if row.get("track") is None else f"{row['track']}: "
        words = f"{track}{name} {probabilities(row)[name]:.0%}"
        left, top, right, bottom = pen.textbbox((0, 0), words, font=font)
        x = max(0, min(row["left"], image.shape[1] - (right - left) - 2 * width))
        y = row["top"] - (bottom - top) - 3 * width
        y = y if y >= 0 else min(row["bottom"], image.shape[0] - (bottom - top) - 3 * width)
        pen.rectangle([x, y, x + right - left + 2 * width, y + bottom - top + 3 * width], fill=colour)
        pen.text((x + width - left, y + width - top), words, fill=(0, 0, 0), font=font)
    return np.asarray(picture)
