"""Predictions as rows of a table: one row for each face, or for the reason why there is none."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openfer.faces.mediapipe.blendshapes import BLENDSHAPES
from openfer.inference.card import ModelCard
from openfer.inference.prediction import FacePrediction

Row = dict[str, Any]

_BOX = ("left", "top", "right", "bottom")
_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
_AFFECT = ("valence", "arousal")

NO_FACE = "no face found"
"""The reason in the row of an image or a frame without a face."""


def columns(card: ModelCard) -> dict[str, type]:
    """Return the columns of the table and the type of each: ``str``, ``int`` or ``float``; any value can be null.

    ``file``; of a video ``frame``, counted from 0, ``time`` in seconds and ``track``, the number of a person followed
    over frames; ``face``, counted from 0, the largest first; ``reason`` why there is no face. Then box and points in
    pixels (left and right are those of the image), the head's pose in degrees, the most probable expression, and the
    numbers that the model gives.
    """
    blendshapes = [f"blendshape_{name}" for name in BLENDSHAPES] if card.input == "geometry" else []
    return {
        **{"file": str, "frame": int, "time": float, "track": int, "face": int, "reason": str},
        **dict.fromkeys(_BOX, float),
        "score": float,
        **dict.fromkeys(("yaw", "pitch", "roll"), float),
        **dict.fromkeys([f"{name}_{axis}" for name in _POINTS for axis in "xy"], float),
        "expression": str,
        **dict.fromkeys([f"p_{name}" for name in card.classes], float),
        **dict.fromkeys([name for name in _AFFECT if name in card.gives], float),
        **dict.fromkeys(blendshapes, float),
    }


def face_rows(
    file: str, faces: Sequence[FacePrediction], frame: int | None = None, seconds: float | None = None
) -> list[Row]:
    """Return the rows of one image or frame; numbers are rounded to what they are good for."""
    place: Row = {"file": file, "frame": frame, "time": None if seconds is None else round(seconds, 6)}
    if not faces:
        return [place | {"reason": NO_FACE}]
    return [place | {"face": number} | _numbers(face) for number, face in enumerate(faces)]


def reason_row(file: str, reason: str) -> Row:
    """Return the row of a file that cannot be read, or not to its end."""
    return {"file": file, "reason": reason}


def probabilities(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the probabilities of a face's row by class."""
    return {name.removeprefix("p_"): value for name, value in row.items() if name.startswith("p_")}


def _numbers(face: FacePrediction) -> Row:
    row: Row = dict(zip(_BOX, _rounded(face.box, 2), strict=True))
    row["score"] = round(face.score, 4)
    row |= {name: round(getattr(face.pose, name), 2) for name in ("yaw", "pitch", "roll")}
    names = [f"{name}_{axis}" for name in _POINTS for axis in "xy"]
    row |= dict(zip(names, _rounded(face.points.ravel(), 2), strict=True))
    row["expression"] = face.expression
    row |= {f"p_{name}": p for name, p in zip(face.classes, _rounded(face.probabilities, 6), strict=True)}
    row |= {name: round(value, 6) for name in _AFFECT if (value := getattr(face, name)) is not None}
    if face.blendshapes is not None:
        named = zip(BLENDSHAPES, _rounded(face.blendshapes, 4), strict=True)
        row |= {f"blendshape_{name}": value for name, value in named}
    return row


def _rounded(values: np.ndarray, decimals: int) -> list[float]:
    return [round(value, decimals) for value in values.tolist()]
