"""Contact sheets of rendered faces, each with what its scene shows."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from PIL import Image

from openfer.io.contact_sheet import contact_sheet as sheet_of
from openfer.io.face_store import FaceStore


def contact_sheet(store: FaceStore, scenes: pd.DataFrame, columns: int = 8, cell: int = 128) -> Image.Image:
    """Draw the faces of scenes with captions.

    Args:
        store: the faces.
        scenes: rows of :func:`openfer_faces.synthetic.sets.plan`, in the order of the sheet.
        columns: faces in a row.
        cell: side of a drawn face in pixels; stored faces are resized to it.

    Returns:
        An RGB image.

    Raises:
        DataError: if a scene has no face in the store.
    """
    faces = [store.image(int(row)) for row in store.rows_of(scenes["sample_id"])]
    return sheet_of(faces, [caption(record) for record in scenes.to_dict("records")], columns, cell)


def caption(scene: Mapping[Any, Any]) -> str:
    """Return what a scene shows, such as "anger, female 20-39 asian, yaw-15 light00, mask"."""
    expression = str(scene["expression"])
    person = f"{scene['gender']} {scene['age']} {scene['race']}"
    words = [expression, person, f"{scene['pose']} {scene['illumination']}"]
    if scene["occluder"] != "none":
        words.append(str(scene["occluder"]))
    return ", ".join(words)
