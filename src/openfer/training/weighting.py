"""What each sample of a batch counts in the loss: by its class, by the mask, or both."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from openfer.methods.contract import Batch, Losses, Method
from openfer.training.config import ImageSettings
from openfer.training.data import Key
from openfer.training.masking import Mask
from openfer.training.sampling import Sampler


def weighted(
    batch: Batch,
    keys: Sequence[Key],
    sampler: Sampler,
    mask: Mask | None,
    method: Method,
    images: ImageSettings,
    epoch: int,
) -> tuple[Batch, Losses]:
    """Return a batch with the weights of its samples, and the scalars to log.

    Args:
        batch: without weights.
        keys: of its samples.
        sampler: of the stage; it may weigh classes.
        mask: it may drop samples.
        method: in training mode; it is left as it was.
        images: how its batches are normalised.
        epoch: of the whole run, from 1.
    """
    if mask is None and sampler.weights is None:
        return batch, {}
    indices = np.array([index for _, index in keys])
    weights: torch.Tensor | None = None
    watched: Losses = {}
    if mask is not None:
        weights, watched = mask(method, images, batch, indices, epoch - 1)
    if sampler.weights is not None:
        own = torch.from_numpy(sampler.weights[indices]).to(batch.images.device)
        weights = own if weights is None else weights * own
    return replace(batch, weights=weights), watched
