"""Contact sheets: faces in a grid, each with its description, for people to look at."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from openfer.io.face_store import FaceStore

_INK, _PAPER = (30, 30, 34), (255, 255, 255)
_GAP = 4


def contact_sheet(store: FaceStore, scenes: pd.DataFrame, columns: int = 8, cell: int = 128) -> Image.Image:
    """Draw the faces of scenes with captions.

    Args:
        store: the faces.
        scenes: rows of :func:`openfer.synthetic.sets.plan`, in the order of the sheet.
        columns: faces in a row.
        cell: side of a drawn face in pixels; stored faces are resized to it.

    Returns:
        An RGB image.

    Raises:
        DataError: if a scene has no face in the store.
    """
    font = ImageFont.load_default(size=max(9, cell // 12))
    line_height = int(font.getbbox("Ag")[3]) + 2
    captions = [textwrap.wrap(caption(record), width=max(12, cell // 6))[:3] for record in scenes.to_dict("records")]
    lines = max((len(wrapped) for wrapped in captions), default=0)
    width, height = cell + _GAP, cell + lines * line_height + 2 * _GAP
    rows = -(-len(scenes) // columns)
    sheet = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, (row, wrapped) in enumerate(zip(store.rows_of(scenes["sample_id"]), captions, strict=True)):
        x, y = _GAP + place % columns * width, _GAP + place // columns * height
        face = Image.fromarray(np.ascontiguousarray(store.image(int(row))))
        sheet.paste(face.resize((cell, cell), Image.Resampling.LANCZOS), (x, y))
        for number, line in enumerate(wrapped):
            draw.text((x, y + cell + number * line_height + 1), line, fill=_INK, font=font)
    return sheet


def caption(scene: Mapping[Any, Any]) -> str:
    """Return what a scene shows, such as "anger, female 20-39 asian, yaw-15 light00, mask"."""
    expression = str(scene["expression"])
    person = f"{scene['gender']} {scene['age']} {scene['race']}"
    words = [expression, person, f"{scene['pose']} {scene['illumination']}"]
    if scene["occluder"] != "none":
        words.append(str(scene["occluder"]))
    return ", ".join(words)
