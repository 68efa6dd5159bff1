"""Who in a batch is left out of the loss: what the trainer asks of those who decide it."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd
from torch import Tensor

from openfer.methods.contract import Batch, Losses, Method, WatchBounds
from openfer.training.config import ImageSettings
from openfer.training.device import Plan
from openfer.training.stateful import Stateful


class Mask(Stateful, Protocol):
    """Weighs the samples of every batch; its state is the record of the weights."""

    def begin(self, plan: Plan, epochs: int, samples: int) -> None:
        """Prepare for a run: number of epochs over all stages, and number of training samples."""
        ...

    def __call__(
        self, method: Method, images: ImageSettings, batch: Batch, indices: np.ndarray, epoch: int
    ) -> tuple[Tensor, Losses]:
        """Return the weights of a batch's samples, float, (B,), and what is worth a curve.

        Args:
            method: the classifier, in training mode; it is left as it was.
            images: how its batches are normalised.
            batch: what it is about to learn from.
            indices: of the samples in the training set, (B,).
            epoch: of the whole run, from 0.
        """
        ...

    @property
    def watch_bounds(self) -> Mapping[str, WatchBounds]:
        """Return the bounds of its scalars, by name; outside of them the trainer warns."""
        ...

    def table(self, sample_ids: np.ndarray) -> pd.DataFrame:
        """Return who was shown when: sample_id, epoch (from 1), divergence and kept."""
        ...

    def facts(self) -> dict[str, Any]:
        """Return all that its weights depend on, JSON-serialisable."""
        ...
