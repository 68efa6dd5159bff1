"""A model file together with what finds faces for it: images in, predictions out."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np

from openfer.errors import DataError, ParameterError
from openfer.inference.card import ModelCard
from openfer.inference.finder import FaceFinder, Seen
from openfer.inference.model_names import model_path
from openfer.inference.onnx_model import OnnxModel
from openfer.inference.prediction import FacePrediction
from openfer.inference.settings import SMALLEST_FACE
from openfer.workers import available_cores, in_threads


def load(
    model: str | Path = "geometry", *, smallest_face: float = SMALLEST_FACE, most_faces: int | None = None
) -> "Predictor":
    """Load a model that predicts expressions of the faces in images.

    >>> model = load("geometry")
    >>> faces = model.predict([pixels])[0]
    >>> faces[0].expression, faces[0].probabilities

    Args:
        model: ``geometry``, which openfer carries; the path of an ``.onnx`` file that openfer exported; the slug of an
            exported run of the project in the current folder; or its address in MLflow, ``models:/<name>/<version>``
            or ``runs:/<run id>``.
        smallest_face: share of an image's shorter side; faces below it are looked for only where there is no larger
            one, in (0, 1).
        most_faces: the search of an image ends when it has found more; None finds all.

    Raises:
        CheckpointError: if there is no such model, or its file is damaged.
        ParameterError: if the model does not predict expressions, needs more than a face, or ``smallest_face`` is
            outside its range.
    """
    return Predictor(OnnxModel(model_path(model), threads=1), smallest_face, most_faces)


class Predictor:
    """Predicts the expression of every face in an image. Its methods may be called from several threads at once.

    Args:
        model: a model file.
        smallest_face: see :func:`load`.
        most_faces: see :func:`load`.

    Raises:
        ParameterError: if the model does not predict expressions, needs more than a face, or ``smallest_face`` is
            outside its range.
    """

    def __init__(self, model: OnnxModel, smallest_face: float = SMALLEST_FACE, most_faces: int | None = None) -> None:
        card = model.card
        if card.task != "expression":
            raise ParameterError(f"{model.path} predicts {card.task}; give a model that predicts expressions")
        if card.extras:
            raise ParameterError(
                f"{model.path} ({card.method}) needs {', '.join(card.extras)} beside a face; predict's finder measures "
                "no point with the confidence that training gave it. Give a model of another method"
            )
        if not 0 < smallest_face < 1:
            raise ParameterError(f"smallest_face is {smallest_face}; give a share between 0 and 1")
        self._model = model
        self._smallest_face, self._most_faces = smallest_face, most_faces
        self._idle: SimpleQueue[FaceFinder] = SimpleQueue()

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""
        return self._model.card

    @property
    def path(self) -> Path:
        """The model's file."""
        return self._model.path

    def predict(self, images: Sequence[np.ndarray]) -> list[list[FacePrediction]]:
        """Predict all faces of some images, on all cores.

        Args:
            images: RGB, uint8, each (H, W, 3).

        Returns:
            For each image its faces, the largest first; an empty list where none is found.

        Raises:
            DataError: if an image is not RGB uint8.
        """
        return list(self.stream(images))

    def stream(self, images: Iterable[np.ndarray]) -> Iterator[list[FacePrediction]]:
        """Do the same for images that come one by one, in their order, with a few in memory at a time."""
        return in_threads(self.faces, images, available_cores())

    def faces(self, image: np.ndarray) -> list[FacePrediction]:
        """Predict all faces of one image on one core, the largest first.

        Raises:
            DataError: if the image is not RGB uint8.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise DataError(f"the image is {image.dtype} of shape {image.shape}; give RGB, uint8, (H, W, 3)")
        with self._finder() as find:
            seen = find(np.ascontiguousarray(image))
        return self._answered(seen) if seen else []

    def _answered(self, seen: Sequence[Seen]) -> list[FacePrediction]:
        wanted = "geometry" if self.card.input == "geometry" else "crop"
        answers = self._model.predict({self.card.input: np.stack([getattr(face, wanted) for face in seen])})
        values = [{name: float(v[number]) for name, v in answers.values.items()} for number in range(len(seen))]
        return [
            FacePrediction(
                box=face.box,
                points=face.points,
                score=face.score,
                pose=face.pose,
                classes=self.card.classes,
                probabilities=probabilities,
                blendshapes=face.blendshapes,
                **own,
            )
            for face, probabilities, own in zip(seen, answers.probabilities, values, strict=True)
        ]

    @contextmanager
    def _finder(self) -> Iterator[FaceFinder]:
        """Lend a finder that no other thread uses."""
        try:
            finder = self._idle.get_nowait()
        except Empty:
            finder = FaceFinder(self.card.crop, self.card.input, self._smallest_face, self._most_faces)
        try:
            yield finder
        finally:
            self._idle.put(finder)
