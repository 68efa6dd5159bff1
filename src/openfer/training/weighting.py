"""The weight of each sample of a batch in the loss: by its class, by the mask, or both."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from openfer.methods.contract import Batch, Losses, Stage
from openfer.training.batches import sent
from openfer.training.data import Key
from openfer.training.setup import Setup


def weighted(setup: Setup, stage: Stage, epoch: int, batch: Batch, keys: Sequence[Key]) -> tuple[Batch, Losses]:
    """Return a batch, of the samples with these keys, with their weights, and the scalars to log."""
    mask, of_class = setup.mask, setup.samplers[stage.name].weights
    if mask is None and of_class is None:
        return batch, {}
    indices = np.array([index for _, index in keys])
    weights: torch.Tensor | None = None
    watched: Losses = {}
    if mask is not None:
        number = setup.timeline.number(stage, epoch) - 1
        weights, watched = mask(setup.method, setup.data.train.images, batch, indices, number)
    if of_class is not None:
        own = sent(of_class[indices], batch.images.device)
        weights = own if weights is None else weights * own
    return replace(batch, weights=weights), watched
