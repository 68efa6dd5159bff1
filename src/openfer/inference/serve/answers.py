"""What the service answers, as its OpenAPI description has it."""

from typing import Self

import numpy as np
from pydantic import BaseModel, Field

from openfer.faces.mediapipe.blendshapes import BLENDSHAPES
from openfer.inference.prediction import FacePrediction


class HeadPose(BaseModel):
    """The camera's place, seen from the face, in degrees."""

    yaw: float = Field(description="to the person's left")
    pitch: float = Field(description="upwards")
    roll: float = Field(description="of the face in the image, clockwise")


class FaceAnswer(BaseModel):
    """One face."""

    box: list[float] = Field(description="left, top, right, bottom in pixels of the upright image", min_length=4)
    points: list[list[float]] = Field(description="eye centres, nose tip, mouth corners: x and y", min_length=5)
    score: float = Field(description="of the detection", ge=0, le=1)
    pose: HeadPose
    expression: str = Field(description="the most probable class")
    probabilities: dict[str, float] = Field(description="by class; they sum to 1")
    valence: float | None = Field(description="in [-1, 1], where the model gives it")
    arousal: float | None = Field(description="in [-1, 1], where the model gives it")
    blendshapes: dict[str, float] | None = Field(description="in [0, 1], where the model looks at them")

    @classmethod
    def of(cls, face: FacePrediction, scale: tuple[float, float]) -> Self:
        """Return the answer for a face in an image that was shrunk by ``scale``, (x, y)."""
        points = face.points / scale
        shapes = face.blendshapes
        return cls(
            box=_rounded(face.box / np.tile(scale, 2), 1),
            points=[_rounded(point, 1) for point in points],
            score=round(face.score, 4),
            pose=HeadPose(yaw=round(face.pose.yaw, 1), pitch=round(face.pose.pitch, 1), roll=round(face.pose.roll, 1)),
            expression=face.expression,
            probabilities=dict(zip(face.classes, _rounded(face.probabilities, 6), strict=True)),
            valence=face.valence,
            arousal=face.arousal,
            blendshapes=None if shapes is None else dict(zip(BLENDSHAPES, _rounded(shapes, 4), strict=True)),
        )


class ImageAnswer(BaseModel):
    """One image."""

    name: str = Field(description="of the file, as the client gave it")
    width: int = Field(description="of the upright image, pixels")
    height: int = Field(description="of the upright image, pixels")
    faces: list[FaceAnswer] = Field(description="the largest first; empty where none is found")


class Answer(BaseModel):
    """The answer to a request."""

    model: str = Field(description="the run that trained the model")
    images: list[ImageAnswer] = Field(description="in the order of the files")


class Problem(BaseModel):
    """Why there is no answer."""

    detail: str


class Health(BaseModel):
    """That the service answers."""

    status: str
    model: str


def _rounded(values: np.ndarray, digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
