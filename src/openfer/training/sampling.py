"""Which samples the epochs of a stage show, and in which order; every draw depends on names alone."""

import numpy as np

from openfer.methods.contract import MISSING, AllSamples, BalancedSubset, Sampling
from openfer.seeds import generator_for


class Sampler:
    """The samples of one stage; its length is the number of samples that an epoch shows.

    Args:
        sampling: the rule.
        labels: of the training set, by which classes are told apart, (N,).
        seed: of the run.
        stage: name of the stage.
    """

    def __init__(self, sampling: Sampling, labels: np.ndarray, seed: int, stage: str) -> None:
        self._seed, self._stage = seed, stage
        self._members = _members(sampling, labels, generator_for(seed, "subset", stage))

    def __len__(self) -> int:
        """Return the number of samples of an epoch."""
        return len(self._members)

    def order(self, epoch: int) -> np.ndarray:
        """Return the indices of an epoch's samples, a permutation drawn from the seed, the stage and the epoch."""
        draw = generator_for(self._seed, "order", self._stage, epoch)
        return self._members[draw.permutation(len(self._members))]


def _members(sampling: Sampling, labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    match sampling:
        case AllSamples():
            return np.arange(len(labels))
        case BalancedSubset():
            classes = [np.flatnonzero(labels == label) for label in np.unique(labels[labels != MISSING])]
            drawn = [draw.permutation(members)[: sampling.per_class] for members in classes]
            return np.sort(np.concatenate(drawn))
