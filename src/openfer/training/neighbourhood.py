"""The neighbourhood mask: who in a batch is too unstable to be learned from, and the record of it.

SNA: Fu, Wu, Li, Pan and Luo, Eq. 9 to 14. It asks any classifier: what the generator draws is brought into the
classifier's size, channels and normalisation, as is the original, which the classifier then sees in grey too.
"""

from collections.abc import Iterator, Mapping
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
from openfer.methods.contract import MISSING, WATCH, Batch, Losses, Method, NeighbourGenerator, WatchBounds
from openfer.nn.grey import grey
from openfer.training.batches import ordered, per_channel, sent
from openfer.training.buffers import unchanged_buffers
from openfer.training.config import ImageSettings
from openfer.training.device import Plan, eager, place
from openfer.training.mask_settings import GENERATOR, LastEpoch, MaskSettings
from openfer.training.recipe import fingerprint_of_tensors
from openfer.training.sharding import shard_networks
from openfer.training.stateful import State

_NOT_SHOWN, _KEPT, _MASKED = 0, 1, 2
_WATCHED = f"{WATCH}kept"


class NeighbourhoodMask:
    """Weighs the samples of a batch with 1 or 0, and records it for each sample and epoch.

    Args:
        settings: which samples are dropped, and from when on.
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
        self._last_epoch = -1, float("nan")  # its number, and the threshold that is made of it

    def begin(self, plan: Plan, epochs: int, samples: int) -> None:
        """Allocate memory for a run and move the generator to its device."""
        self._plan = plan
        place(self.generator, plan)
        shard_networks(self.generator)
        # on the device, so that no step waits for what it records
        self._divergence = torch.zeros(epochs, samples, device=plan.device)
        self._state = torch.zeros(epochs, samples, dtype=torch.uint8, device=plan.device)

    def __call__(
        self, method: Method, images: ImageSettings, batch: Batch, indices: np.ndarray, epoch: int
    ) -> tuple[Tensor, Losses]:
        """Return 1 for those who are kept and 0 for the others, as :class:`~openfer.training.masking.Mask` says.

        The share of kept samples is logged from the epoch on in which samples may be dropped.
        """
        with torch.no_grad(), self._plan.autocast(), eager(), _asked(method, self._settings.mode):
            original, reconstruction, neighbour = self._seen(images, batch.images)
            compared = original if self._settings.reference == "original" else reconstruction
            first, second = (_logits(method, batch, shown) for shown in (compared, neighbour))
            divergence = symmetric_divergence(first, second)
            threshold = self._threshold(divergence, epoch)
            kept = torch.ones_like(divergence, dtype=torch.bool)
            if threshold is not None:
                kept = self._dropped_by(divergence < threshold, method, batch, original)
        places = sent(indices, divergence.device)
        self._divergence[epoch, places] = divergence.to(torch.float32)
        self._state[epoch, places] = torch.where(kept, _KEPT, _MASKED).to(torch.uint8)
        watched = {f"{WATCH}divergence": divergence.mean()}
        return kept.float(), watched | ({} if threshold is None else {_WATCHED: kept.float().mean()})

    @property
    def watch_bounds(self) -> Mapping[str, WatchBounds]:
        """Return the bounds of the share of kept samples."""
        meaning = (
            "the mask drops almost everything, so that little is learned, or almost nothing; set another "
            "training.neighbourhood_mask.threshold, or a later begin"
        )
        return {_WATCHED: WatchBounds(0.1, 0.99, meaning)}

    def table(self, sample_ids: np.ndarray) -> pd.DataFrame:
        """Return who was shown when: sample_id, epoch (from 1), divergence in nats and kept.

        Of a sample that an epoch showed several times it is the last time.
        """
        divergence, state = self._divergence.cpu().numpy(), self._state.cpu().numpy()
        epochs, places = state.nonzero()
        return pd.DataFrame(
            {
                "sample_id": pd.Series(sample_ids[places], dtype="str"),
                "epoch": epochs + 1,
                "divergence": divergence[epochs, places],
                "kept": state[epochs, places] == _KEPT,
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
        self._divergence.copy_(state.tensors["divergence"])
        self._state.copy_(state.tensors["state"])

    def _seen(self, images: ImageSettings, shown: Tensor) -> list[Tensor]:
        """Return faces as the generator sees them, their reconstructions and neighbours, as the classifier sees faces.

        The reconstructions are those of the code without noise.
        """
        side, classifier_side = self.generator.side, shown.shape[-1]
        seen = ordered(shown, images).mul(per_channel(images.std, shown)).add(per_channel(images.mean, shown))
        seen = _resized(seen, side)
        theirs = seen.sub(self._mean).div(self._std)
        drawn = [self.generator.neighbours(theirs, noise).float() for noise in (0.0, self._settings.noise)]
        seen_alike = []
        for normalised in (grey(theirs, side), *drawn):
            plain = _resized(normalised.mul(self._std).add(self._mean).expand(-1, 3, -1, -1), classifier_side)
            plain = plain.sub(per_channel(images.mean, plain)).div(per_channel(images.std, plain))
            seen_alike.append(ordered(plain, images).contiguous(memory_format=self._plan.memory_format))
        return seen_alike

    def _threshold(self, divergence: Tensor, epoch: int) -> Tensor | float | None:
        """Return the divergence in nats below which a sample is kept; None while all are."""
        threshold = self._settings.threshold
        if epoch < self._settings.begin:
            return None
        if threshold == "batch_mean":
            equal = divergence.max() == divergence.min()  # their mean may round to either side of equal numbers
            return torch.where(equal, torch.inf, divergence.mean())
        if not isinstance(threshold, LastEpoch):
            return threshold
        if epoch == 0:
            return None
        if self._last_epoch[0] != epoch - 1:
            shown = self._divergence[epoch - 1][self._state[epoch - 1] != _NOT_SHOWN]  # waits, once an epoch
            self._last_epoch = epoch - 1, float(np.quantile(shown.cpu().numpy(), threshold.last_epoch))
        return self._last_epoch[1]

    def _dropped_by(self, kept: Tensor, method: Method, batch: Batch, original: Tensor) -> Tensor:
        """Return who is kept by the criterion, as many as the divergence keeps."""
        criterion = self._settings.criterion
        if criterion == "divergence":
            return kept
        if criterion == "random":
            return kept[torch.randperm(len(kept), device=kept.device)]
        labels = next(iter(batch.labels.values()))
        losses = F.cross_entropy(
            _logits(method, batch, original).float(), labels, ignore_index=MISSING, reduction="none"
        )
        return losses.argsort().argsort() < kept.sum()  # the rank of each


def _logits(method: Method, batch: Batch, shown: Tensor) -> Tensor:
    """Return a classifier's logits of its first task for a batch's faces, shown in another way."""
    return next(iter(method(*method.inputs(replace(batch, images=shown))).logits.values()))


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
