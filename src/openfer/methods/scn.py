"""SCN, the Self-Cure Network: importance of faces, their ranking, and labels that are corrected.

Wang, Peng, Yang, Lu and Qiao, Suppressing Uncertainties for Large-Scale Facial Expression Recognition, CVPR 2020; the
comparator of ADDL's Tables 12 and 13.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.labels import MISSING
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.losses.rank_regularisation import high_group, rank_regularisation_loss
from openfer.methods.contract import WATCH, Batch, Classes, Losses, Method, Player, Prediction, Stage, total
from openfer.methods.declared.scn import METHOD, SCNSettings
from openfer.nn.trunks import TRUNKS


class _Seen(NamedTuple):
    """What SCN sees in a batch: features x_i (B, D), importance alpha_i (B,), ``alpha_i W x_i`` (B, K)."""

    feature: Tensor
    importance: Tensor
    logits: Tensor


class SCN(Method):
    """ResNet-18, global average pooling, FC(K) and a sigmoid of FC(1): 11,180,616 parameters for seven expressions.

    In the public code a corrected label replaces the given one in the training set for good. Here the given labels stay
    and a correction holds for one step. The network can therefore take a correction back, no method changes the data of
    others, and an interrupted training resumes from its weights alone. A sample is relabelled only in batches in which
    it ranks low.
    """

    declared = METHOD
    config: SCNSettings

    def __init__(self, config: SCNSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        trunk = TRUNKS[config.trunk]
        self.trunk = trunk.build()
        self.classifier = nn.Linear(trunk.channels, len(self.classes["expression"]))
        self.attention = nn.Linear(trunk.channels, 1)
        self._relabels = False

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        return (Stage("expression", self.config.schedule, (Player("main", tuple(self.parameters())),)),)

    def on_epoch_start(self, stage: Stage, epoch: int) -> None:
        """Correct labels from the epoch on that the settings name."""
        self._relabels = epoch >= self.config.relabel_from

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return ``gamma L_WCE + (1 - gamma) L_RR``; L_WCE is the cross-entropy of the weighted logits.

        L_RR reaches the trunk and the importance, L_WCE also the classifier. The ranking and the correction of labels
        are choices, and no gradient passes them.
        """
        seen = self._see(batch.images)
        labels = given = batch.labels["expression"]
        high = high_group(seen.importance, self.config.high_share)
        if self._relabels:
            labels = torch.where(high, given, relabelled(seen.logits, given, self.config.relabel_margin))
        classification = masked_cross_entropy(seen.logits, labels, batch.weights)
        ranking = rank_regularisation_loss(seen.importance, high, self.config.margin)
        losses = {
            "classification": self.config.balance * classification,
            "rank_regularisation": (1 - self.config.balance) * ranking,
            f"{WATCH}importance": seen.importance.detach().mean(),
            f"{WATCH}relabelled": (labels != given).float().mean(),
        }
        return {"main": total(losses)}

    def forward(self, images: Tensor) -> Prediction:
        """Predict by the weighted logits, what the training's softmax reads; the feature is the pooled one."""
        feature, _, logits = self._see(images)
        return Prediction({"expression": logits}, feature)

    def backbone(self) -> nn.Module:
        """Return the trunk."""
        return self.trunk

    def _see(self, images: Tensor) -> _Seen:
        pooled = F.adaptive_avg_pool2d(self.trunk(images)[-1], 1).flatten(1)
        with torch.autocast(pooled.device.type, enabled=False):  # ranks and margins want single precision
            feature = pooled.float()
            importance = self.attention(feature).sigmoid()
            return _Seen(feature, importance.squeeze(1), importance * self.classifier(feature))


def relabelled(logits: Tensor, labels: Tensor, margin: float) -> Tensor:
    """Give samples the most probable class where it beats the given one by a margin.

    ``y' = argmax P`` where ``P_max - P_given > delta_2``, else the given label (SCN, Sec. 3.4).

    Args:
        logits: (B, K).
        labels: int64 class indices, (B,); a sample with :data:`openfer.labels.MISSING` keeps it.
        margin: delta_2.

    Returns:
        int64, (B,); no gradient.
    """
    probabilities = logits.detach().softmax(1)
    largest, likely = probabilities.max(1)
    of_given = probabilities.gather(1, labels.clamp_min(0)[:, None]).squeeze(1)
    return torch.where((labels != MISSING) & (largest - of_given > margin), likely, labels)
