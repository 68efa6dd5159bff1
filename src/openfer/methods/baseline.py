"""ADDL's own comparators: a plain ResNet-18, and the expression branch alone (Ruan et al., IJCV 130, 2022)."""

from collections.abc import Sequence
from typing import Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.methods.contract import Batch, Classes, Losses, Method, Player, Prediction, Schedule, Stage, total
from openfer.methods.schedules import ADDL_SCHEDULE
from openfer.nn.expression_subnetwork import ExpressionSubnetwork
from openfer.nn.heads import ExpressionHead
from openfer.nn.resnet import TAP_CHANNELS, ResNet18Trunk
from openfer.parameters import Settings


class BaselineSettings(Settings):
    """Parameters of the baselines; the defaults are the paper's.

    Attributes:
        attention: ``none`` is S_g - global average pooling - two FCs (11,243,081 parameters for seven
            expressions; the paper does not state the pooling); ``single_level`` is S_g - S_e which classifies
            a_5 alone (15,745,947); ``multi_level`` is S_g - S_e, ADDL without its disturbance branch (16,237,467).
        schedule: ADDL's.
        dropout: before each of the two FCs; 0.5 in the DDL code, not stated in the paper.
    """

    attention: Literal["none", "single_level", "multi_level"] = "none"
    schedule: Schedule = ADDL_SCHEDULE
    dropout: float = Field(default=0.5, ge=0, lt=1)


class Baseline(Method):
    """Expression recognition by cross-entropy alone: one player, one term."""

    name = "baseline"
    config_class = BaselineSettings
    config: BaselineSettings
    variants = {
        "baseline": {"attention": "none"},
        "baseline_at": {"attention": "single_level"},
        "baseline_mat": {"attention": "multi_level"},
    }
    weighs = True

    def __init__(self, config: BaselineSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        count = len(self.classes["expression"])
        self.shared = ResNet18Trunk()
        self.expression: ExpressionSubnetwork | ExpressionHead
        if config.attention == "none":
            self.expression = ExpressionHead(TAP_CHANNELS[-1], count, config.dropout)
        else:
            multi_level = config.attention == "multi_level"
            self.expression = ExpressionSubnetwork(count, config.dropout, multi_level=multi_level)

    @property
    def variant(self) -> str:
        """Return ``baseline``, ``baseline_at`` or ``baseline_mat``."""
        return next(name for name, row in self.variants.items() if row["attention"] == self.config.attention)

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        return (Stage("expression", self.config.schedule, (Player("main", tuple(self.parameters())),)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the cross-entropy of the batch (ADDL, Eq. 5)."""
        logits = self(batch.images).logits["expression"]
        return {
            "main": total({"classification": masked_cross_entropy(logits, batch.labels["expression"], batch.weights)})
        }

    def forward(self, images: Tensor) -> Prediction:
        """Predict the expression, and with attention where it looked, (B, 1, h, w)."""
        taps = self.shared(images)
        if isinstance(self.expression, ExpressionSubnetwork):
            logits, feature, attentive = self.expression(taps)
            return Prediction({"expression": logits}, feature, {"attentive": attentive.sum(1, keepdim=True)})
        feature, logits = self.expression(F.adaptive_avg_pool2d(taps[-1], 1).flatten(1))
        return Prediction({"expression": logits}, feature)

    def backbone(self) -> nn.Module:
        """Return S_g."""
        return self.shared


METHOD = Baseline
