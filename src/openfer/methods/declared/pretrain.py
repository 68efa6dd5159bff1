"""A backbone that is trained before expression recognition: its settings."""

from typing import Any, Literal

from pydantic import Field, field_validator

from openfer.labels import ATTRIBUTE, CELEBA_ATTRIBUTES, FACTORS
from openfer.losses.margin_settings import Margin
from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import Schedule
from openfer.nn.choices import BACKBONES, Kernel
from openfer.parameters import Settings


class PretrainSettings(Settings):
    """Parameters of the pretraining.

    Attributes:
        schedule: of no paper; FDRL-ECANet says neither the task nor the schedule of its pretraining on CelebA.
        backbone: one of :data:`openfer.nn.choices.BACKBONES`.
        kernel: of ``eca_resnet18``; the method that starts from it must have the same one.
        learns: ``attributes``, ``identity`` or ``expression``.
        attributes: disturbing factors, such as ``gender``, and attributes of CelebA, such as ``Bald``;
            ``celeba`` is short for CelebA's forty. What the data does not label is left out.
        margin: of ``identity``.
    """

    schedule: Schedule = Schedule(epochs=20, batch_size=64, learning_rate=3e-4, weight_decay=5e-4, milestones=(10, 16))
    backbone: str = "resnet18"
    kernel: Kernel = 3
    learns: Literal["attributes", "identity", "expression"] = "attributes"
    attributes: tuple[str, ...] = Field(default=("gender", "age", "race"), min_length=1)
    margin: Margin = Margin()

    @field_validator("backbone")
    @classmethod
    def _known_backbone(cls, value: str) -> str:
        if value not in BACKBONES:
            raise ValueError(f"there is no backbone {value!r}; the backbones are {', '.join(BACKBONES)}")
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


def _tasks_of(settings: PretrainSettings) -> tuple[str, ...]:
    """Return the named attributes, ``identity``, or ``expression``."""
    if settings.learns != "attributes":
        return (settings.learns,)
    return tuple(name if name in FACTORS else f"{ATTRIBUTE}{name}" for name in settings.attributes)


def _variant_of(settings: PretrainSettings) -> str:
    return f"pretrain_{settings.learns}"


METHOD = Declaration(
    name="pretrain",
    settings=PretrainSettings,
    network=network_at("openfer.methods.pretrain:Pretrain"),
    variant_of=_variant_of,
    tasks=_tasks_of,
)
