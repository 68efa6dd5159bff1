"""A small classifier of what is known of a face beside its pixels."""

from collections.abc import Sequence

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

    def __init__(self, config: SmallClassifierSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        (self._reads,) = self.declared.extras
        (inputs,) = EXTRA_SHAPES[self._reads]
        self.hidden = nn.Sequential(
            nn.BatchNorm1d(inputs, affine=False),
            nn.Dropout(config.dropout),
            nn.Linear(inputs, config.hidden),
            nn.ReLU(),
        )
        self.predict = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(config.hidden, len(self.classes["expression"]))
        )

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        return (Stage("expression", self.config.schedule, (Player("main", tuple(self.parameters())),)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the cross-entropy of the batch."""
        logits = self(batch.images, batch.extras).logits["expression"]
        loss = masked_cross_entropy(logits, batch.labels["expression"], batch.weights)
        return {"main": total({"classification": loss})}

    def forward(self, images: Tensor, extras: Extras = NO_EXTRAS) -> Prediction:
        """Predict the expression from the extra.

        Raises:
            DataError: if it is not given.
        """
        if self._reads not in extras:
            raise DataError(f"{self.name} was given faces without {self._reads}, which is all that it looks at")
        hidden = self.hidden(extras[self._reads])
        return Prediction({"expression": self.predict(hidden)}, hidden)

    def backbone(self) -> nn.Module:
        """Return the layers before the last."""
        return self.hidden
