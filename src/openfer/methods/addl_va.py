"""ADDL for valence and arousal: two values on top of the expression layer (ADDL, Sec. 4.6, Table 14).

Ruan, Mo, Yan, Chen, Xue and Wang, International Journal of Computer Vision 130, 2022.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn

from openfer.errors import CheckpointError
from openfer.io.checkpoint import Checkpoint
from openfer.losses.concordance import concordance_loss
from openfer.losses.root_mean_square import root_mean_square_loss
from openfer.methods.addl import ADDL
from openfer.methods.contract import Batch, Classes, Losses, Prediction, Stage
from openfer.methods.declared.addl import ADDLSettings
from openfer.methods.declared.addl_va import METHOD, ADDLVASettings
from openfer.nn.expression_subnetwork import Expression

_HEAD = "affect."
"""Prefix of the weights that ADDL does not have."""


class ADDLVA(ADDL):
    """ADDL with FC(K -> 2), linear, on its logits; it starts from a trained ADDL and fine-tunes all of it.

    The networks, players and gradient routes are ADDL's; D and T go on too. The losses of valence and arousal reach
    S_g, S_e and the new layer.
    """

    declared = METHOD
    config: ADDLVASettings

    def __init__(self, config: ADDLVASettings, classes: Classes) -> None:
        super().__init__(config, classes)
        self.affect = nn.Linear(len(self.classes["expression"]), len(self.declared.regression_targets))

    def stages(self) -> Sequence[Stage]:
        """Return ADDL's one stage, in which the last two layers learn faster than all else."""
        (stage,) = super().stages()
        main, *opponents = stage.players
        last = {id(p) for layer in (self.expression.head.logits, self.affect) for p in layer.parameters()}
        parameters = (*main.parameters, *self.affect.parameters())
        scales = tuple(self.config.last_layers_rate if id(p) in last else 1.0 for p in parameters)
        return (replace(stage, players=(replace(main, parameters=parameters, scales=scales), *opponents)),)

    def further_terms(self, expression: Expression, batch: Batch) -> Losses:
        """Return the losses of valence and arousal, which are added to Eq. 14."""
        weights = self.config.affect_weights
        predicted = self._values(expression.logits)
        true = torch.stack([batch.targets[name] for name in self.declared.regression_targets], dim=1)
        return {
            "root_mean_square": weights.root_mean_square * root_mean_square_loss(predicted, true, batch.weights),
            "concordance": weights.concordance * concordance_loss(predicted, true, batch.weights),
        }

    def forward(self, images: Tensor) -> Prediction:
        """Predict the expression, and valence and arousal, which nothing keeps within [-1, 1]."""
        prediction = super().forward(images)
        values = self._values(prediction.logits["expression"])
        return replace(prediction, values=dict(zip(self.declared.regression_targets, values.unbind(1), strict=True)))

    def load_prerequisites(self, models: Mapping[str, Checkpoint]) -> Self:
        """Take a trained DFEM, which is frozen, and begin with the weights of a trained ADDL.

        Raises:
            CheckpointError: if one is not given, does not fit, or knows other expressions or factors.
        """
        super().load_prerequisites(models)
        facts = models["addl"].facts
        there = _networks(facts["classes"], ADDLSettings.model_validate(facts["config"]))
        for what, here in _networks(self.classes, self.config).items():
            if there[what] != here:
                raise CheckpointError(
                    f"of addl {what} is {there[what]}, of addl_va {here}; give both the same classes and the same "
                    "settings.factors, settings.importance and settings.weights, and train addl first"
                )
        own = {name: value for name, value in self.own_state().items() if name.startswith(_HEAD)}
        self.load_own_state(own | models["addl"].tensors)
        return self

    def _values(self, logits: Tensor) -> Tensor:
        with torch.autocast(logits.device.type, enabled=False):
            return self.affect(logits.float())


def _networks(classes: Mapping[str, Sequence[str]], settings: ADDLSettings) -> dict[str, str]:
    """Return what decides which networks an ADDL has, in words."""
    played = {"D": settings.weights.adversarial, "T": settings.weights.information}
    return {
        "the list of expressions": ", ".join(classes["expression"]),
        "the list of fused factors": ", ".join(settings.fused) or "empty",
        "the weighting of factors": "learned" if settings.learns_importance else "equal",
        "the list of opponents": ", ".join(name for name, weight in played.items() if weight) or "empty",
    }
