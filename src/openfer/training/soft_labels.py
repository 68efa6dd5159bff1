"""Labels as probabilities of classes: shares of votes, smoothed, or both."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from openfer.methods.contract import MISSING, Batch, Stage
from openfer.training.batches import sent
from openfer.training.data import Key
from openfer.training.setup import Setup


def with_soft_labels(setup: Setup, stage: Stage, batch: Batch, keys: Sequence[Key]) -> Batch:
    """Return a batch, of the samples with these keys, with soft labels of the first task if the run asks."""
    votes, smoothing = setup.data.votes, stage.schedule.label_smoothing
    if votes is None and not smoothing:
        return batch
    task, names = next(iter(setup.method.classes.items()))
    own = None if votes is None else votes[[index for _, index in keys]]
    return replace(batch, soft_labels={task: soft_labels(batch.labels[task], len(names), smoothing, own)})


def soft_labels(labels: Tensor, classes: int, smoothing: float, votes: np.ndarray | None = None) -> Tensor:
    """Return probabilities of the classes.

    Args:
        labels: int64 class indices, (B,); a sample with :data:`openfer.labels.MISSING` gets zeros.
        classes: K.
        smoothing: share of the probability that goes to all classes alike, in [0, 1).
        votes: for each class, >= 0, (B, K). A sample without any takes its label alone; so does every sample where
            votes are None.

    Returns:
        float32, (B, K), on the device of the labels; rows add up to 1, or are zeros.
    """
    labelled = (labels != MISSING)[:, None]
    shares = F.one_hot(labels.clamp_min(0), classes).float()
    if votes is not None:
        own = sent(votes, shares.device).to(shares.dtype)
        count = own.sum(1, keepdim=True)
        shares = torch.where(count > 0, own / count.clamp_min(1e-12), shares)
    return (shares * (1 - smoothing) + smoothing / classes) * labelled
