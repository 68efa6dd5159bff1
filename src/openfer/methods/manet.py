"""MA-Net with diversity: a local branch of four patches beside a global branch of several scales.

MA-Net: Zhao, Liu and Wang, IEEE TIP 30, 2021. The diversity of patches and branches: Heidari and Iosifidis, 2022.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from openfer.losses.diversity import diversity_of, over_channels, over_space, similarity_by_sample
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.methods.contract import (
    Batch,
    Classes,
    Losses,
    Method,
    Player,
    Prediction,
    Stage,
    WatchBounds,
    total,
)
from openfer.methods.declared.manet import METHOD, MANetSettings
from openfer.methods.watching import diversity_bounds, watched_similarity
from openfer.nn.manet_network import FEATURES, LocalAndGlobal, MANetwork


class MANet(Method):
    """One player, one stage."""

    declared = METHOD
    config: MANetSettings

    def __init__(self, config: MANetSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        count = len(self.classes["expression"])
        self.network = MANetwork(config.gate_momentum, config.trunk)
        self.heads = nn.ModuleList(nn.Linear(FEATURES, count) for _ in ("local", "global"))

    @property
    def watch_bounds(self) -> Mapping[str, WatchBounds]:
        """Return the bounds of diversity's share of the shared layers' gradient."""
        return diversity_bounds(self.config.diversify)

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        """Return those of the layers that both branches share."""
        return tuple(parameter for layer in self.network.shared_layers() for parameter in layer.parameters())

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        return (Stage("expression", self.config.schedule, (Player("main", tuple(self.parameters())),)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return ``lambda CE_local + (1 - lambda) CE_global - (D_b + D_sp + D_ch)`` (Eq. 5)."""
        seen = self.network(batch.images)
        truth = batch.truth("expression")
        local, whole = (masked_cross_entropy(logits, truth, batch.weights) for logits in self._logits(seen))
        losses = {
            "classification_local": self.config.balance * local,
            "classification_global": (1 - self.config.balance) * whole,
        }
        for kind, features in _learners(seen).items():
            diversity, similarity = diversity_of(features, self.config.diversity)
            if kind in self.config.diversify:
                losses[f"diversity_{kind}"] = -self.config.diversity.weight * diversity
            losses |= watched_similarity(kind, similarity)
        return {"main": total(losses)}

    def forward(self, images: Tensor) -> Prediction:
        """Predict by the weighted sum of both branches' logits.

        The feature is the local and the global one in a row, (B, 1024); the maps are the means over channels of the
        tiled patches (``local``, (B, 2 h, 2 w)) and of the global branch (``global``, (B, h, w)).
        """
        seen = self.network(images)
        local, whole = self._logits(seen)
        logits = self.config.balance * local + (1 - self.config.balance) * whole
        maps = {"local": over_channels(seen.tiled()), "global": over_channels(seen.whole)}
        return Prediction({"expression": logits}, torch.cat([*seen.features()], dim=1), maps)

    def similarities(self, images: Tensor) -> dict[str, Tensor]:
        """Return how similar branches (B, 2, 2) and patches (B, 4, 4) are for every image, by kind."""
        settings = self.config.diversity
        learners = _learners(self.network(images))
        return {kind: similarity_by_sample(own, settings.gamma, settings.distance) for kind, own in learners.items()}

    def backbone(self) -> nn.Module:
        """Return both branches with the layers that they share; where these are dlib's, which has no branches, them."""
        return self.network if self.network.dlib is None else self.network.dlib

    def cam_layers(self) -> Sequence[nn.Module]:
        """Return the layers that both branches look at."""
        shared = self.network if self.network.dlib is None else self.network.dlib
        return tuple(part for name, part in shared.named_children() if name.startswith("layer"))

    def _logits(self, seen: LocalAndGlobal) -> list[Tensor]:
        return [head(feature) for head, feature in zip(self.heads, seen.features(), strict=True)]


def _learners(seen: LocalAndGlobal) -> dict[str, Tensor]:
    """Return the features of what is to differ: (2, B, 512), (4, B, h, w) and (4, B, 512)."""
    return {
        "branch": seen.features(),
        "spatial": torch.stack([over_channels(maps) for maps in seen.quadrants]),
        "channel": torch.stack([over_space(maps) for maps in seen.quadrants]),
    }
