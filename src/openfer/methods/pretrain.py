"""A backbone learned ahead of expression recognition: on attributes, on identity, or on expression itself."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.labels import ATTRIBUTE
from openfer.losses.margin import margin_cross_entropy
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.methods.contract import Batch, Classes, Losses, Method, Player, Prediction, Stage, total
from openfer.methods.declared.pretrain import METHOD, PretrainSettings
from openfer.nn.eca_resnet import ECAResNet18Trunk
from openfer.nn.trunks import ECA, TRUNKS


class Pretrain(Method):
    """A trunk, global average pooling, and a linear classifier of each task on the pooled maps.

    Attributes:
        trunk: what other methods start from.
    """

    declared = METHOD
    config: PretrainSettings

    def __init__(self, config: PretrainSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        trunk = TRUNKS[config.backbone]
        self.trunk = ECAResNet18Trunk(config.kernel) if config.backbone == ECA else trunk.build()
        self.classify = nn.ModuleDict(
            {
                _key(task): nn.Linear(trunk.channels, len(names), bias=config.learns != "identity")
                for task, names in self.classes.items()
            }
        )

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        return (Stage(self.config.learns, self.config.schedule, (Player("main", tuple(self.parameters())),)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the mean cross-entropy of the tasks, each over the samples that it labels; for people, with margin."""
        if self.config.learns == "identity":
            margin = self.config.margin
            cosines = self._cosines(self._pooled(batch.images))
            labels = batch.labels["identity"]
            loss = margin_cross_entropy(cosines, labels, margin.kind, margin.size, margin.scale)
            return {"main": total({"identity": loss})}
        logits = self(batch.images).logits
        losses = [masked_cross_entropy(logits[task], batch.labels[task]) for task in self.classes]
        return {"main": total({self.config.learns: torch.stack(losses).mean()})}

    def forward(self, images: Tensor) -> Prediction:
        """Classify every task; for people the logits are scaled cosines, without the margin."""
        pooled = self._pooled(images)
        if self.config.learns == "identity":
            return Prediction({"identity": self.config.margin.scale * self._cosines(pooled)}, pooled)
        return Prediction({task: self.classify[_key(task)](pooled) for task in self.classes}, pooled)

    def backbone(self) -> nn.Module:
        """Return the trunk."""
        return self.trunk

    def _pooled(self, images: Tensor) -> Tensor:
        maps = self.trunk(images)
        return F.adaptive_avg_pool2d(maps if isinstance(maps, Tensor) else maps[-1], 1).flatten(1)

    def _cosines(self, pooled: Tensor) -> Tensor:
        weight = self.classify["identity"].weight
        assert isinstance(weight, Tensor)
        with torch.autocast(pooled.device.type, enabled=False):
            return F.linear(F.normalize(pooled.float()), F.normalize(weight.float()))


def _key(task: str) -> str:
    return task.removeprefix(ATTRIBUTE)
