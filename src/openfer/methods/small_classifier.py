"""A small classifier of what is known of a face beside its pixels."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from openfer.errors import DataError
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.methods.contract import (
    EXTRA_SHAPES,
    NO_EXTRAS,
    Batch,
    Classes,
    Extras,
    Losses,
    Method,
    Player,
    Prediction,
    Stage,
    total,
)
from openfer.methods.declared.probe import SmallClassifierSettings


class SmallClassifier(Method):
    """Batch normalisation, then twice dropout and a linear layer, with a ReLU between them.

    A subclass names what it reads by its declaration's one extra. Images are not looked at.
    """

    config: SmallClassifierSettings
    class_weights: Tensor

    def __init__(self, config: SmallClassifierSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        (self._reads,) = self.declared.extras
        inputs = self.select(torch.empty(1, *EXTRA_SHAPES[self._reads])).shape[1]
        self.hidden = nn.Sequential(
            nn.BatchNorm1d(inputs, affine=False),
            nn.Dropout(config.dropout),
            nn.Linear(inputs, config.hidden),
            nn.ReLU(),
        )
        self.predict = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(config.hidden, len(self.classes["expression"]))
        )

        weights = [config.class_weights.get(name, 1.0) for name in self.classes["expression"]]
        self.register_buffer("class_weights", torch.tensor(weights), persistent=False)

    def select(self, extra: Tensor) -> Tensor:
        """Return what the classifier reads of its extra, (B, F) to (B, G)."""
        return extra

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        return (Stage("expression", self.config.schedule, (Player("main", tuple(self.parameters())),)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the cross-entropy of the batch."""
        logits = self(batch.images, batch.extras).logits["expression"]
        truth = batch.truth("expression")
        if truth.is_floating_point():
            weights = truth @ self.class_weights.to(truth.dtype)
        else:
            weights = self.class_weights[truth.clamp_min(0)]  # of a face without a label, any: it does not count
        weights = weights if batch.weights is None else weights * batch.weights
        loss = masked_cross_entropy(logits, truth, weights)
        return {"main": total({"classification": loss})}

    def forward(self, images: Tensor, extras: Extras = NO_EXTRAS) -> Prediction:
        """Predict the expression from the extra.

        Raises:
            DataError: if it is not given.
        """
        if self._reads not in extras:
            raise DataError(f"{self.name} was given faces without {self._reads}, which is all that it looks at")
        hidden = self.hidden(self.select(extras[self._reads]))
        return Prediction({"expression": self.predict(hidden)}, hidden)

    def backbone(self) -> nn.Module:
        """Return the layers before the last."""
        return self.hidden
