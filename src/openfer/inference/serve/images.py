"""From uploaded files to answers, a batch at a time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import numpy as np
from starlette.exceptions import HTTPException

from openfer.inference.card import ModelCard
from openfer.inference.prediction import FacePrediction
from openfer.inference.serve.answers import FaceAnswer, ImageAnswer
from openfer.inference.serve.limits import Limits
from openfer.inference.serve.metrics import Metrics
from openfer.io.images import ImageLimits, SourceImage, UnreadableImageError, read_image
from openfer.workers import available_cores


class Predicts(Protocol):
    """The part of a model that the service uses; see :class:`openfer.inference.predictor.Predictor`."""

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""
        ...

    def predict(self, images: Sequence[np.ndarray]) -> list[list[FacePrediction]]:
        """Return the faces of each image, RGB, uint8, (H, W, 3)."""
        ...


@dataclass(frozen=True)
class Upload:
    """A file of a request.

    Attributes:
        place: which file of the request it is, from 1.
        name: as the client gave it.
        file: its content; nobody else reads it.
    """

    place: int
    name: str
    file: BinaryIO


class ImagePredictor:
    """Answers for uploaded files: decodes them, predicts them together, and counts the batch.

    Args:
        predictor: the model.
        limits: of the service.
        metrics: where batches are counted.
    """

    def __init__(self, predictor: Predicts, limits: Limits, metrics: Metrics) -> None:
        self._predictor, self._limits, self._metrics = predictor, limits, metrics
        self._decoding = ThreadPoolExecutor(available_cores(), "decode")

    def __call__(self, uploads: Sequence[Upload]) -> list[ImageAnswer | Exception]:
        """Return the answer for each file, or why there is none: an HTTPException with a status of the client."""
        decoded = list(self._decoding.map(self._decode, uploads))
        images = [image for image in decoded if isinstance(image, SourceImage)]
        found = iter(self._predictor.predict([image.pixels for image in images]))
        answers: list[ImageAnswer | Exception] = [
            image if isinstance(image, Exception) else self._answer(upload, image, next(found))
            for upload, image in zip(uploads, decoded, strict=True)
        ]
        self._metrics.batch(len(uploads), sum(len(a.faces) for a in answers if isinstance(a, ImageAnswer)))
        return answers

    def _decode(self, upload: Upload) -> SourceImage | HTTPException:
        limits = ImageLimits(megapixels=self._limits.megapixels, megabytes=self._limits.megabytes)
        try:
            return read_image(upload.file.read(), limits, self._limits.side)
        except UnreadableImageError as error:
            return HTTPException(422, f"file {upload.place} is no image that can be read: {error}; send another file")

    def _answer(
        self, upload: Upload, image: SourceImage, faces: Sequence[FacePrediction]
    ) -> ImageAnswer | HTTPException:
        most = self._limits.faces
        if len(faces) > most:
            words = f"file {upload.place} shows more than {most} faces; send a part of it"
            return HTTPException(422, words)
        height, width = (
            round(side / scale) for side, scale in zip(image.pixels.shape, image.scale[::-1], strict=False)
        )
        shown = [FaceAnswer.of(face, image.scale) for face in faces]
        return ImageAnswer(name=upload.name, width=width, height=height, faces=shown)
