"""Contact sheets: pictures in a grid, each with its description, for people to look at."""

import textwrap
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_INK, _PAPER = (30, 30, 34), (255, 255, 255)
_GAP = 4


def contact_sheet(
    images: Sequence[np.ndarray], captions: Sequence[str], columns: int = 8, cell: int = 128
) -> Image.Image:
    """Draw pictures with captions.

    Args:
        images: RGB, uint8, (H, W, 3) each.
        captions: one each; wrapped to at most three lines.
        columns: pictures in a row.
        cell: side of a drawn picture in pixels.

    Returns:
        An RGB image.
    """
    font = ImageFont.load_default(size=max(9, cell // 12))
    line_height = int(font.getbbox("Ag")[3]) + 2
    letters = max(12, int(cell / font.getlength("n")))
    wrapped = [textwrap.wrap(caption, width=letters)[:3] for caption in captions]
    lines = max((len(words) for words in wrapped), default=0)
    width, height = cell + _GAP, cell + lines * line_height + 2 * _GAP
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, (image, words) in enumerate(zip(images, wrapped, strict=True)):
        x, y = _GAP + place % columns * width, _GAP + place // columns * height
        picture = Image.fromarray(np.ascontiguousarray(image))
        sheet.paste(picture.resize((cell, cell), Image.Resampling.LANCZOS), (x, y))
        for number, line in enumerate(words):
            draw.text((x, y + cell + number * line_height + 1), line, fill=_INK, font=font)
    return sheet
