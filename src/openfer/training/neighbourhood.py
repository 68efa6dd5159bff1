"""The neighbourhood mask: who in a batch is too unstable to be learned from, and the record of it.

SNA: Fu, Wu, Li, Pan and Luo, Eq. 9 to 14. It asks any classifier: what the generator draws is brought into the
classifier's size, channels and normalisation, as is the original, which the classifier then sees in grey too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from openfer.errors import ParameterError
from openfer.losses.symmetric_divergence import symmetric_divergence
from openfer.methods.contract import WATCH, Batch, Losses, Method, NeighbourGenerator
from openfer.nn.grey import grey
from openfer.training.batches import per_channel
from openfer.training.buffers import unchanged_buffers
from openfer.training.config import ImageSettings
from openfer.training.device import Plan, eager, place
from openfer.training.mask_settings import GENERATOR, MaskSettings
from openfer.training.recipe import fingerprint_of_tensors
from openfer.training.stateful import State

_NOT_SHOWN, _KEPT, _MASKED = 0, 1, 2


class NeighbourhoodMask:
    """Weighs the samples of a batch with 1 or 0, and remembers it for each sample and epoch.

    Args:
        settings: threshold, noise and mode.
        generator: trained.
        images: what the generator was trained on.

    Raises:
        ParameterError: if those have another brightness in each colour, which grey cannot be brought back from.
    """

    _plan: Plan

    def __init__(self, settings: MaskSettings, generator: NeighbourGenerator, images: ImageSettings) -> None:
        if not isinstance(images.mean, float) or not isinstance(images.std, float):
            raise ParameterError(
                f"{GENERATOR} was trained with images.mean {images.mean} and images.std {images.std}; it draws in "
                "grey: give it, sna_autoencoder and two_scale one number each, such as mean: 0.0 and std: 1.0"
            )
        self._settings, self._mean, self._std = settings, images.mean, images.std
        self.generator = generator.requires_grad_(False).eval()
        self._divergence = torch.zeros(0)
        self._state = torch.zeros(0)

    def begin(self, plan: Plan, epochs: int, samples: int) -> None:
        """Make room for a run and move the generator to where it takes place."""
        self._plan = plan
        place(self.generator, plan)
        self._divergence = torch.zeros(epochs, samples)
        self._state = torch.zeros(epochs, samples, dtype=torch.uint8)

    def __call__(
        self, method: Method, images: ImageSettings, batch: Batch, indices: np.ndarray, epoch: int
    ) -> tuple[Tensor, Losses]:
        """Return 1 for those who are kept and 0 for the others, as :class:`~openfer.training.masking.Mask` says."""
        with torch.no_grad(), self._plan.autocast(), eager():
            originals, neighbours = self._pair(images, batch.images)
            with _asked(method, self._settings.mode):
                first, second = (
                    next(iter(method(*method.inputs(replace(batch, images=shown))).logits.values()))
                    for shown in (originals, neighbours)
                )
            divergence = symmetric_divergence(first, second)
        kept = self._kept(divergence, epoch)
        places = torch.from_numpy(indices)
        self._divergence[epoch, places] = divergence.float().cpu()
        self._state[epoch, places] = torch.where(kept, _KEPT, _MASKED).to("cpu", torch.uint8)
        watched = {f"{WATCH}divergence": divergence.mean(), f"{WATCH}kept": kept.float().mean()}
        return kept.float(), watched

    def table(self, sample_ids: np.ndarray) -> pd.DataFrame:
        """Return who was shown when: sample_id, epoch (from 1), divergence in nats and kept.

        Of a sample that an epoch showed several times it is the last time.
        """
        epochs, places = self._state.numpy().nonzero()
        return pd.DataFrame(
            {
                "sample_id": pd.Series(sample_ids[places], dtype="str"),
                "epoch": epochs + 1,
                "divergence": self._divergence.numpy()[epochs, places],
                "kept": self._state.numpy()[epochs, places] == _KEPT,
            }
        )

    def facts(self) -> dict[str, Any]:
        """Return settings and a hash of the generator's weights."""
        return self._settings.model_dump(mode="json") | {GENERATOR: fingerprint_of_tensors(self.generator.own_state())}

    def state(self) -> State:
        """Return the record so far."""
        return State({"divergence": self._divergence, "state": self._state})

    def restore(self, state: State) -> None:
        """Continue the record that :meth:`state` returned."""
        self._divergence, self._state = state.tensors["divergence"], state.tensors["state"]

    def _pair(self, images: ImageSettings, shown: Tensor) -> tuple[Tensor, Tensor]:
        """Return the originals as the generator sees them and their neighbours, as the classifier is shown faces."""
        side, classifier_side = self.generator.side, shown.shape[-1]
        seen = shown.mul(per_channel(images.std, shown)).add(per_channel(images.mean, shown))
        seen = _resized(seen, side)
        theirs = seen.sub(self._mean).div(self._std)
        drawn = self.generator.neighbours(theirs, self._settings.noise).float()
        pair = []
        for normalised in (grey(theirs, side), drawn):
            plain = _resized(normalised.mul(self._std).add(self._mean).expand(-1, 3, -1, -1), classifier_side)
            pair.append(
                plain.sub(per_channel(images.mean, plain))
                .div(per_channel(images.std, plain))
                .contiguous(memory_format=self._plan.memory_format)
            )
        return pair[0], pair[1]

    def _kept(self, divergence: Tensor, epoch: int) -> Tensor:
        threshold = self._settings.threshold
        if threshold == "batch_mean":
            # the mean of equal numbers may round to either side of them
            return (divergence < divergence.mean()) | (divergence.max() == divergence.min())
        if threshold == "first_epoch_median":
            if epoch == 0:
                return torch.ones_like(divergence, dtype=torch.bool)
            threshold = float(self._divergence[0][self._state[0] != _NOT_SHOWN].median())
        return divergence < threshold


def _resized(images: Tensor, side: int) -> Tensor:
    if images.shape[-1] == side:
        return images
    return F.interpolate(images, size=(side, side), mode="bilinear", antialias=True, align_corners=False)


@contextmanager
def _asked(method: Method, mode: str) -> Iterator[None]:
    """Put a classifier into a mode to be asked, and leave it in training mode with the statistics that it had."""
    method.train(mode == "train")
    try:
        with unchanged_buffers(method):
            yield
    finally:
        method.train()
