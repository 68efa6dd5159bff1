"""Faces as a model file takes them: arrays, in batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from openfer.training.data import Faces

_BATCH_SIZE = 64


@dataclass(frozen=True)
class Given:
    """Inputs of a model file for some faces.

    Attributes:
        inputs: by name, (N, ...).
        labels: class index of the first task, int64, (N,); negative where unlabelled.
    """

    inputs: dict[str, np.ndarray]
    labels: np.ndarray

    def __len__(self) -> int:
        """Return N."""
        return len(self.labels)


def given(faces: Faces, names: Sequence[str], task: str, chosen: Sequence[int]) -> Given:
    """Return the inputs of chosen faces, centre crops.

    Args:
        faces: a data set with the extras among ``names``.
        names: names of the inputs; ``faces`` are the crops, uint8, (N, S, S, 3), all others are extras.
        task: task of the returned labels.
        chosen: row numbers of faces; at least one.

    Raises:
        DataError: if an image is damaged.
    """
    samples = [faces[0, number] for number in chosen]
    inputs = {
        name: np.stack(
            [
                np.ascontiguousarray(sample.pixels.numpy().transpose(1, 2, 0))
                if name == "faces"
                else sample.extras[name].numpy()
                for sample in samples
            ]
        )
        for name in names
    }
    return Given(inputs, np.array([sample.labels[task] for sample in samples]))


def batches(faces: Faces, names: Sequence[str], task: str, chosen: Sequence[int]) -> Iterator[Given]:
    """Yield what :func:`given` returns in batches, so that a large set takes little memory."""
    for start in range(0, len(chosen), _BATCH_SIZE):
        yield given(faces, names, task, chosen[start : start + _BATCH_SIZE])


def spread(count: int, most: int) -> list[int]:
    """Return up to ``most`` numbers below ``count``, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int)).tolist()
