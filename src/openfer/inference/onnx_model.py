"""A model file, read and checked: batches of faces in, probabilities out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from openfer.errors import CheckpointError, DataError
from openfer.inference.card import CARD, ModelCard

_AGAIN = "export the run again with `openfer export RUN`"


@dataclass(frozen=True)
class Answers:
    """What a model says of n faces.

    Attributes:
        probabilities: float32, (n, classes), in the order of the card; rows sum to 1.
        further: probabilities of other tasks by name, float32, (n, classes).
        values: valence and arousal where the model gives them, float32, (n,).
    """

    probabilities: np.ndarray
    further: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[str, np.ndarray] = field(default_factory=dict)


class OnnxModel:
    """An openfer model in one ``.onnx`` file. Its methods may be called from several threads at once.

    Args:
        path: the file.
        threads: cores that one call uses; None is all.

    Attributes:
        card: what is known of the model.

    Raises:
        CheckpointError: if the file is missing, not an ONNX file, without a card, or not as its card says.
    """

    def __init__(self, path: Path | str, threads: int | None = None) -> None:
        self.path = Path(path)
        self._session = _session(self.path, threads)
        self.card = _card(self._session, self.path)
        self._check_names()

    def predict(self, inputs: Mapping[str, np.ndarray]) -> Answers:
        """Answer for n faces.

        Args:
            inputs: by the names of :attr:`ModelCard.inputs`. ``faces``: aligned RGB crops, uint8,
                (n, size, size, 3). ``geometry``: float32, (n, 1486). ``landmarks``: float32, (n, 68, 3). n may be 0.

        Raises:
            DataError: if an input is missing, unexpected, or of another type or shape.
        """
        self._check(inputs)
        shapes = self.card.outputs
        if len(next(iter(inputs.values()))):
            found = dict(zip(shapes, self._session.run(list(shapes), dict(inputs)), strict=True))
        else:
            found = {name: np.empty((0, *shape), np.float32) for name, shape in shapes.items()}
        further = {task: found[f"probabilities_{task}"] for task in self.card.further_classes}
        return Answers(found["probabilities"], further, {name: found[name] for name in self.card.gives})

    def probabilities(self, faces: np.ndarray, **extras: np.ndarray) -> np.ndarray:
        """Return the probabilities of the card's classes, float32, (n, classes).

        Args:
            faces: the model's own input: crops, uint8, (n, size, size, 3), or geometry, float32, (n, 1486).
            **extras: what the model takes beside it.

        Raises:
            DataError: if an input is missing, unexpected, or of another type or shape.
        """
        return self.predict({self.card.input: faces, **extras}).probabilities

    def _check(self, inputs: Mapping[str, np.ndarray]) -> None:
        expected = self.card.inputs
        if set(inputs) != set(expected):
            raise DataError(
                f"{self.path} takes the inputs {list(expected)}, given {sorted(inputs)}; give exactly these"
            )
        for name, (kind, shape) in expected.items():
            value = inputs[name]
            if value.dtype != kind or value.ndim != 1 + len(shape) or value.shape[1:] != shape:
                raise DataError(
                    f"the input {name} of {self.path} is {value.dtype} of shape {value.shape}; give {kind} of shape "
                    f"{('n', *shape)}".replace("'", "")
                )
        if len({len(value) for value in inputs.values()}) > 1:
            counts = {name: len(value) for name, value in inputs.items()}
            raise DataError(f"the inputs of {self.path} are of different numbers of faces, {counts}; give one each")

    def _check_names(self) -> None:
        known = [part.name for part in (*self._session.get_inputs(), *self._session.get_outputs())]
        expected = [*self.card.inputs, *self.card.outputs]
        if sorted(known) != sorted(expected):
            raise CheckpointError(f"{self.path} has inputs and outputs {known}, its card says {expected}; {_AGAIN}")


def _session(path: Path, threads: int | None) -> Any:
    import onnxruntime

    if not path.is_file():
        raise CheckpointError(f"the model file {path} does not exist; give an existing .onnx file, or {_AGAIN}")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own errors have no common base
        raise CheckpointError(
            f"{path} ({path.stat().st_size} bytes) is not an ONNX file, or damaged: {str(error)[:200]}; {_AGAIN}"
        ) from error


def _card(session: Any, path: Path) -> ModelCard:
    text = session.get_modelmeta().custom_metadata_map.get(CARD)
    if text is None:
        raise CheckpointError(f"{path} is an ONNX file without a card of openfer; {_AGAIN}")
    try:
        return ModelCard.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CheckpointError(
            f"the card of {path} is not one of this version of openfer ({place}: {first['msg']}); {_AGAIN}"
        ) from error
