"""Which samples the epochs of a stage show, and in which order; every draw depends on names alone."""

import numpy as np

from openfer.errors import ParameterError
from openfer.methods.contract import (
    MISSING,
    AllSamples,
    BalancedBatches,
    BalancedSubset,
    ByDataset,
    Oversampled,
    Sampling,
    WeightedSamples,
    refuse_uneven,
)
from openfer.seeds import generator_for

BY_CLASS = (BalancedSubset, BalancedBatches, Oversampled)
"""The rules that show samples of a class only."""


class Sampler:
    """The samples of one stage; its length is the number of samples that an epoch shows.

    Args:
        sampling: the rule.
        labels: of the training set, by which classes are told apart, (N,).
        seed: of the run.
        stage: name of the stage.
        batch_size: of the stage; rules that fill each batch by classes or datasets need it.
        datasets: the dataset of each sample, (N,); only :class:`~openfer.methods.contract.ByDataset` reads it.

    Raises:
        ParameterError: if a balanced batch cannot hold the same number of each class, the rule goes by classes and no
            sample is labelled, or it names a dataset of which there is no sample.

    Attributes:
        weights: what each sample counts, float32, (N,); None for 1 each.
    """

    def __init__(
        self,
        sampling: Sampling,
        labels: np.ndarray,
        seed: int,
        stage: str,
        batch_size: int,
        datasets: np.ndarray | None = None,
    ) -> None:
        self._seed, self._stage = seed, stage
        self._classes = [np.flatnonzero(labels == label) for label in np.unique(labels[labels != MISSING])]
        self._oversampled = isinstance(sampling, Oversampled)
        if isinstance(sampling, BY_CLASS) and not self._classes:
            raise ParameterError(
                f"stage {stage} wants sampling: {{kind: {sampling.kind}}}, but no training sample is labelled; set "
                "{kind: all}"
            )
        self._dealt: list[tuple[np.ndarray, int]] = []  # groups that fill each batch, with their parts of it
        if isinstance(sampling, BalancedBatches):
            refuse_uneven(f"stage {stage}", batch_size, len(self._classes))
            self._dealt = [(members, 1) for members in self._classes]
        if isinstance(sampling, ByDataset):
            self._dealt = _by_dataset(sampling, np.full(len(labels), "") if datasets is None else datasets, stage)
        self._batch_size = batch_size
        self._members = self._drawn(sampling, labels, generator_for(seed, "subset", stage))
        self.weights = self._inverse_shares(labels) if isinstance(sampling, WeightedSamples) else None

    def __len__(self) -> int:
        """Return the number of samples of an epoch."""
        if self._dealt:
            return max(1, len(self._members) // self._batch_size) * self._batch_size
        return len(self._members)

    def order(self, epoch: int) -> np.ndarray:
        """Return the indices of an epoch's samples, drawn from the seed, the stage and the epoch."""
        draw = generator_for(self._seed, "order", self._stage, epoch)
        if self._oversampled:
            return self._with_replacement(draw)
        if not self._dealt:
            return self._members[draw.permutation(len(self._members))]
        rows = len(self) // sum(part for _, part in self._dealt)
        columns = [_in_turns(members, rows * part, draw).reshape(rows, part) for members, part in self._dealt]
        batches = np.concatenate(columns, axis=1).reshape(-1, self._batch_size)
        return draw.permuted(batches, axis=1).ravel()

    def _drawn(self, sampling: Sampling, labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        match sampling:
            case AllSamples() | WeightedSamples() | ByDataset():
                return np.arange(len(labels))
            case BalancedSubset():
                chosen = [draw.permutation(members)[: sampling.per_class] for members in self._classes]
                return np.sort(np.concatenate(chosen))
            case BalancedBatches() | Oversampled():
                return np.flatnonzero(labels != MISSING)

    def _with_replacement(self, draw: np.random.Generator) -> np.ndarray:
        """Draw the class of each place, each equally likely, and then which of its members stands there."""
        chosen = draw.integers(len(self._classes), size=len(self))
        order = np.empty(len(self), np.int64)
        for number, members in enumerate(self._classes):
            places = np.flatnonzero(chosen == number)
            order[places] = draw.choice(members, len(places))
        return order

    def _inverse_shares(self, labels: np.ndarray) -> np.ndarray:
        weights = np.ones(len(labels), np.float32)
        count = sum(map(len, self._classes))
        for members in self._classes:
            weights[members] = count / (len(self._classes) * len(members))
        return weights


def _in_turns(members: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """Return ``count`` members, cycling through all before repeating."""
    turns = -(-count // len(members))
    return np.concatenate([draw.permutation(members) for _ in range(turns)])[:count]


def _by_dataset(sampling: ByDataset, datasets: np.ndarray, stage: str) -> list[tuple[np.ndarray, int]]:
    found = {name: np.flatnonzero(datasets == name) for name in sampling.ratio}
    for name, members in found.items():
        if not len(members):
            raise ParameterError(
                f"stage {stage} has sampling.ratio with {name}, of which no sample trains; the training samples are "
                f"of {', '.join(sorted(set(datasets)))}. Name these"
            )
    return [(members, sampling.ratio[name]) for name, members in found.items()]
