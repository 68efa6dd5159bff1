"""What is measured on every exported file: parity with torch, and accuracy on the test set of the run."""

import numpy as np
import torch

from openfer.errors import ExportError
from openfer.export.faces import Given, batches, given, spread
from openfer.export.graph import Answering
from openfer.inference.card import Accuracy, Parity
from openfer.inference.onnx_model import OnnxModel
from openfer.training.data import ConcatFaces

PARITY_FACES = 200
TOLERANCE = 1e-3
"""Largest difference of a probability or value that is taken for rounding. Files of all methods differ by less than
1e-5; a wrong layer differs by 1e-1."""


def parity(network: Answering, model: OnnxModel, faces: ConcatFaces) -> Parity:
    """Compare a model file with the network that it was made of, on up to 200 faces.

    Raises:
        DataError: if an image is damaged.
        ExportError: if a probability or value differs by more than the tolerance.
    """
    task = model.card.task
    chosen = spread(len(faces), PARITY_FACES)
    largest, equal = 0.0, 0
    for part in batches(faces, network.input_names(), task, chosen):
        with torch.no_grad():
            expected = [answer.numpy() for answer in network(*map(torch.from_numpy, part.inputs.values()))]
        answers = model.predict(part.inputs)
        found = [answers.probabilities, *answers.further.values(), *answers.values.values()]
        differences = [np.abs(f - e).max() for f, e in zip(found, expected, strict=True)]
        largest = float(np.max([largest, *differences]))  # a NaN stays, which Python's max would lose
        equal += int((found[0].argmax(1) == expected[0].argmax(1)).sum())
    if not largest <= TOLERANCE:  # a NaN is no agreement
        raise ExportError(
            f"{model.path}: answers differ from those in torch by up to {largest:.3g} over {len(chosen)} faces, more "
            f"than {TOLERANCE}; nothing is written. Report this, with torch {torch.__version__}"
        )
    return Parity(n=len(chosen), largest_difference=largest, equal_answers=equal / len(chosen))


def accuracy(model: OnnxModel, faces: ConcatFaces, datasets: tuple[str, ...], role: str) -> Accuracy | None:
    """Return the accuracy of a model file over the labelled faces; None without labels.

    Raises:
        DataError: if an image is damaged.
    """
    labelled = np.flatnonzero(faces.labels[model.card.task] >= 0).tolist()
    if not labelled:
        return None
    parts = batches(faces, list(model.card.inputs), model.card.task, labelled)
    right = sum(_right(model, part) for part in parts)
    return Accuracy(value=right / len(labelled), n=len(labelled), datasets=datasets, role=role)


def examples(network: Answering, faces: ConcatFaces) -> list[torch.Tensor]:
    """Return two faces as the network takes them.

    Raises:
        DataError: if an image is damaged.
    """
    task = next(iter(network.method.classes))
    return [*map(torch.from_numpy, given(faces, network.input_names(), task, (0, len(faces) - 1)).inputs.values())]


def _right(model: OnnxModel, part: Given) -> int:
    return int((model.predict(part.inputs).probabilities.argmax(1) == part.labels).sum())
