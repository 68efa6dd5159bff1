"""DFEM, ADDL's first stage: a multi-task classifier of disturbing factors (Ruan et al., IJCV 130, 2022)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.errors import ParameterError
from openfer.labels import FACTORS
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.methods.contract import Batch, Classes, Losses, Method, Player, Prediction, Stage, total
from openfer.methods.declared.dfem import METHOD, DFEMSettings
from openfer.nn.heads import FEATURE_SIZE
from openfer.nn.trunks import TRUNKS


class FactorFeatures(NamedTuple):
    """What DFEM sees in a batch.

    Attributes:
        features: f_j^p by factor, (B, M, 128), in the order that the factors were asked for.
        taps: maps of the trunk's stem and its layers 1 to 4.
    """

    features: Tensor
    taps: tuple[Tensor, ...]


class DFEM(Method):
    """ResNet-18, and for every factor FC(512 - 128) = f_j^p and FC(128 - K_j).

    Attributes:
        factors: the factors that ``classes`` names, in the order of :data:`openfer.labels.FACTORS`.

    Raises:
        ParameterError: if ``classes`` names something else, or nothing.
    """

    declared = METHOD
    config: DFEMSettings

    def __init__(self, config: DFEMSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        self.factors = tuple(factor for factor in FACTORS if factor in self.classes)
        if not self.classes or set(self.classes) - set(FACTORS):
            raise ParameterError(
                f"dfem was given the tasks {sorted(self.classes)}; it classifies disturbing factors: one or more of "
                f"{', '.join(FACTORS)}"
            )
        trunk = TRUNKS[config.trunk]
        self.trunk = trunk.build()
        self.features = nn.ModuleDict({factor: nn.Linear(trunk.channels, FEATURE_SIZE) for factor in self.factors})
        self.classifiers = nn.ModuleDict(
            {factor: nn.Linear(FEATURE_SIZE, len(self.classes[factor])) for factor in self.factors}
        )

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        return (Stage("factors", self.config.schedule, (Player("main", tuple(self.parameters())),)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the unweighted sum of the factors' cross-entropies over the batch (ADDL, Eq. 1).

        A dataset labels some factors only; a missing label adds zero. Every label counts the same.
        """
        logits, labels = self(batch.images).logits, batch.labels
        return {"main": total({f: masked_cross_entropy(logits[f], labels[f], over="batch") for f in self.factors})}

    def forward(self, images: Tensor) -> Prediction:
        """Classify every factor; the feature is all factor features in a row, (B, M * 128)."""
        features, _ = self.extract(images, self.factors)
        logits = {factor: self.classifiers[factor](features[:, j]) for j, factor in enumerate(self.factors)}
        return Prediction(logits, features.flatten(1))

    def extract(self, images: Tensor, factors: Sequence[str]) -> FactorFeatures:
        """Return what ADDL learns from: the features of some factors, (B, 0, 128) of none, and the taps of the trunk.

        The features come in single precision also under autocast, for ADDL's D tells them, weighted,
        from f^d.
        """
        taps = tuple(self.trunk(images))
        if not factors:
            return FactorFeatures(images.new_empty(len(images), 0, FEATURE_SIZE), taps)
        pooled = F.adaptive_avg_pool2d(taps[-1], 1).flatten(1)
        slope = self.config.activation_slope
        with torch.autocast(images.device.type, enabled=False):
            features = [F.leaky_relu(self.features[factor](pooled.float()), slope) for factor in factors]
        return FactorFeatures(torch.stack(features, dim=1), taps)

    def backbone(self) -> nn.Module:
        """Return the trunk."""
        return self.trunk
