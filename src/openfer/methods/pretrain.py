"""A backbone learned ahead of expression recognition: on attributes, on identity, or on expression itself."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, field_validator
from torch import Tensor, nn

from openfer.labels import ATTRIBUTE, CELEBA_ATTRIBUTES, FACTORS
from openfer.losses.margin import MarginKind, margin_cross_entropy
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.methods.contract import Batch, Classes, Losses, Method, Player, Prediction, Schedule, Stage, total
from openfer.nn.trunks import TRUNKS
from openfer.parameters import Settings


class Margin(Settings):
    """The softmax by which people are told apart.

    Attributes:
        kind: ``angular`` (ArcFace) or ``cosine`` (CosFace).
        size: m; 0.5 radians in ArcFace, a cosine of 0.35 in CosFace.
        scale: s; 64 in both papers, for some ten thousand people.
    """

    kind: MarginKind = "angular"
    size: float = Field(default=0.5, ge=0, le=1)
    scale: float = Field(default=64.0, gt=0)


class PretrainSettings(Settings):
    """Parameters of the pretraining.

    Attributes:
        schedule: of no paper; FDRL-ECANet says neither the task nor the schedule of its pretraining on CelebA.
        backbone: one of :data:`openfer.nn.trunks.TRUNKS`.
        learns: ``attributes``, ``identity`` or ``expression``.
        attributes: disturbing factors, such as ``gender``, and attributes of CelebA, such as ``Bald``;
            ``celeba`` is short for CelebA's forty. What the data does not label is left out.
        margin: of ``identity``.
    """

    schedule: Schedule = Schedule(epochs=20, batch_size=64, learning_rate=3e-4, weight_decay=5e-4, milestones=(10, 16))
    backbone: str = "resnet18"
    learns: Literal["attributes", "identity", "expression"] = "attributes"
    attributes: tuple[str, ...] = Field(default=("gender", "age", "race"), min_length=1)
    margin: Margin = Margin()

    @field_validator("backbone")
    @classmethod
    def _known_backbone(cls, value: str) -> str:
        if value not in TRUNKS:
            raise ValueError(f"there is no backbone {value!r}; the backbones are {', '.join(TRUNKS)}")
        return value

    @field_validator("attributes", mode="before")
    @classmethod
    def _spelled_out(cls, value: Any) -> Any:
        return CELEBA_ATTRIBUTES if value == "celeba" else value

    @field_validator("attributes")
    @classmethod
    def _known_attributes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in (*FACTORS, *CELEBA_ATTRIBUTES)]
        if unknown:
            raise ValueError(
                f"{', '.join(unknown)} is no attribute; give factors ({', '.join(FACTORS)}), names of CelebA's forty, "
                "such as Bald, or celeba for all of these"
            )
        return value


class Pretrain(Method):
    """A trunk, global average pooling, and a linear classifier of each task on the pooled maps.

    Attributes:
        trunk: what other methods start from.
    """

    name = "pretrain"
    config_class = PretrainSettings
    config: PretrainSettings

    def __init__(self, config: PretrainSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        trunk = TRUNKS[config.backbone]
        self.trunk = trunk.build()
        self.classify = nn.ModuleDict(
            {
                _key(task): nn.Linear(trunk.channels, len(names), bias=config.learns != "identity")
                for task, names in self.classes.items()
            }
        )

    @classmethod
    def tasks_of(cls, config: Settings) -> tuple[str, ...]:
        """Return what is learned: the named attributes, people, or expressions."""
        assert isinstance(config, PretrainSettings)
        if config.learns != "attributes":
            return (config.learns,)
        return tuple(name if name in FACTORS else f"{ATTRIBUTE}{name}" for name in config.attributes)

    @property
    def variant(self) -> str:
        """Return ``pretrain_attributes``, ``pretrain_identity`` or ``pretrain_expression``."""
        return f"{self.name}_{self.config.learns}"

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


METHOD = Pretrain
