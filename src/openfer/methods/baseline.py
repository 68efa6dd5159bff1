"""ADDL's own comparators: a plain ResNet-18, and the expression branch alone (Ruan et al., IJCV 130, 2022)."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.methods.contract import Batch, Classes, Losses, Method, Player, Prediction, Stage, total
from openfer.methods.declared.baseline import METHOD, BaselineSettings
from openfer.nn.expression_subnetwork import ExpressionSubnetwork
from openfer.nn.heads import ExpressionHead
from openfer.nn.trunks import TRUNKS


class Baseline(Method):
    """Expression recognition by cross-entropy alone: one player, one term."""

    declared = METHOD
    config: BaselineSettings

    def __init__(self, config: BaselineSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        count = len(self.classes["expression"])
        trunk = TRUNKS[config.trunk]
        self.shared = trunk.build()
        self.expression: ExpressionSubnetwork | ExpressionHead
        if config.attention == "none":
            self.expression = ExpressionHead(trunk.channels, count, config.dropout)
        else:
            multi_level = config.attention == "multi_level"
            self.expression = ExpressionSubnetwork(count, config.dropout, trunk.taps, multi_level=multi_level)

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        return (Stage("expression", self.config.schedule, (Player("main", tuple(self.parameters())),)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the cross-entropy of the batch (ADDL, Eq. 5)."""
        logits = self(batch.images).logits["expression"]
        return {
            "main": total({"classification": masked_cross_entropy(logits, batch.truth("expression"), batch.weights)})
        }

    def forward(self, images: Tensor) -> Prediction:
        """Predict the expression, and with attention where it looked, (B, 1, h, w)."""
        taps = self.shared(images)
        if isinstance(self.expression, ExpressionSubnetwork):
            logits, feature, attentive = self.expression(taps)
            return Prediction({"expression": logits}, feature, {"attentive": attentive.sum(1, keepdim=True)})
        feature, logits = self.expression(F.adaptive_avg_pool2d(taps[-1], 1).flatten(1))
        return Prediction({"expression": logits}, feature)

    @property
    def reads_all_maps(self) -> bool:
        """Return whether attention looks at them."""
        return isinstance(self.expression, ExpressionSubnetwork)

    def backbone(self) -> nn.Module:
        """Return S_g."""
        return self.shared
