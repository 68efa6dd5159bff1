"""FDRL-ECANet: feature decomposition and reconstruction over a channel-attentive ResNet-18 (Guo and Yang).

Where the paper is silent, the public re-implementation of FDRL decides, and the docstrings say so.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.losses.balance import balance_loss
from openfer.losses.compactness import compactness_loss
from openfer.losses.distribution import distribution_loss
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.methods.contract import WATCH, Batch, Classes, Losses, Method, Player, Prediction, Stage, total
from openfer.methods.declared.fdrl_eca import METHOD, FDRLECASettings
from openfer.nn.centres import Centres
from openfer.nn.feature_decomposition import FeatureDecomposition, FeatureReconstruction
from openfer.nn.trunks import TRUNKS, with_channel_attention

FEATURE_SIZE = 128
"""Length of the latent and of the reconstructed features."""


class FDRLECA(Method):
    """ECA-ResNet-18 - FDN - FRN - EPN: one player, three terms and a weight penalty."""

    declared = METHOD
    config: FDRLECASettings

    def __init__(self, config: FDRLECASettings, classes: Classes) -> None:
        super().__init__(config, classes)
        count, branches = len(self.classes["expression"]), config.branches
        trunk = TRUNKS[config.trunk]
        weighs_channels = config.channel_attention == "eca"
        self.trunk = with_channel_attention(config.trunk, config.kernel) if weighs_channels else trunk.build()
        if not config.decomposition:
            self.predict = nn.Linear(trunk.channels, count)
            return
        self.decompose = FeatureDecomposition(trunk.channels, branches, FEATURE_SIZE)
        self.reconstruct = FeatureReconstruction(
            branches, FEATURE_SIZE, config.importance, config.relation, config.delta
        )
        self.predict = nn.Linear(FEATURE_SIZE, count)
        self.latent_centres = Centres(branches, FEATURE_SIZE, config.centre_momentum)
        self.weight_centres = Centres(count, branches, config.centre_momentum)

    def stages(self) -> Sequence[Stage]:
        """Return the one stage: everything is minimised by everything."""
        return (Stage("expression", self.config.schedule, (Player("main", tuple(self.parameters())),)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return ``L_cls + lambda_1 L_C + lambda_2 L_D``, and FDRL's L_B where it has a weight."""
        labels, truth = batch.labels["expression"], batch.truth("expression")
        pooled = self._pooled(batch.images)
        if not self.config.decomposition:
            return {"main": total({"classification": masked_cross_entropy(self._logits(pooled), truth, batch.weights)})}
        weights = self.config.weights
        latent = self.decompose(pooled)
        feature, importance, relation = self.reconstruct(latent)
        self._move_centres(latent, importance, labels)
        losses = {
            "classification": masked_cross_entropy(self._logits(feature), truth, batch.weights),
            "compactness": weights.compactness * compactness_loss(latent, self.latent_centres.value),
            "distribution": weights.distribution * distribution_loss(importance, self.weight_centres.value, labels),
        }
        if weights.balance:
            losses["balance"] = weights.balance * balance_loss(importance)
        pairs = relation.shape[1] * (relation.shape[1] - 1)
        watched = {
            f"{WATCH}importance": importance.detach().mean(),
            f"{WATCH}relation": relation.detach().sum((1, 2)).mean() / pairs,
            f"{WATCH}feature_norm": feature.detach().norm(dim=1).mean(),
        }
        return {"main": total(losses | watched)}

    def forward(self, images: Tensor) -> Prediction:
        """Predict the expression from the reconstructed feature, or from the pooled maps without FDRL."""
        feature = self._pooled(images)
        if self.config.decomposition:
            feature = self.reconstruct(self.decompose(feature)).feature
        return Prediction({"expression": self._logits(feature)}, feature)

    def backbone(self) -> nn.Module:
        """Return the trunk."""
        return self.trunk

    def _pooled(self, images: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(self.trunk(images)[-1], 1).flatten(1)

    def _logits(self, feature: Tensor) -> Tensor:
        with torch.autocast(feature.device.type, enabled=False):
            logits: Tensor = self.predict(feature.float())
            return logits

    def _move_centres(self, latent: Tensor, importance: Tensor, labels: Tensor) -> None:
        branch = torch.arange(self.config.branches, device=latent.device).repeat(len(latent))
        self.latent_centres.follow(latent.flatten(0, 1), branch)
        self.weight_centres.follow(importance, labels)  # a missing label is negative: nobody's
