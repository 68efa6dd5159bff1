"""MA-Net with diversity: its settings, and its rows by name.

MA-Net: Zhao, Liu and Wang, IEEE TIP 30, 2021. Diversity of patches and branches: Heidari and Iosifidis, 2022.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from openfer.losses.diversity_settings import DiversitySettings
from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import Schedule
from openfer.nn.choices import GATE_MOMENTUM, MANetTrunk
from openfer.parameters import Settings

Kind = Literal["branch", "spatial", "channel"]


class MANetSettings(Settings):
    """Parameters of MA-Net; the defaults are the papers', on RAF-DB.

    Attributes:
        balance: lambda, the local branch's share of the loss and of the prediction.
        diversify: what is made different: the two ``branch`` features, and the patches' maps by where they show
            something (``spatial``) and by what their channels show (``channel``). Empty is MA-Net itself.
        diversity: how difference is measured; the defaults there are ours.
        trunk: of the layers that both branches share; ``resnet18`` is the paper's, ``dlib_resnet29`` takes dlib's open
            weights.
        gate_momentum: of CBAM's batch statistics (:class:`openfer.nn.cbam.CBAM`).
        schedule: the milestones are StepLR(15).
    """

    balance: float = Field(default=0.6, ge=0, le=1)
    diversify: tuple[Kind, ...] = ("branch", "spatial", "channel")
    diversity: DiversitySettings = DiversitySettings()
    trunk: MANetTrunk = "resnet18"
    gate_momentum: float = Field(default=GATE_MOMENTUM, gt=0, le=1)
    schedule: Schedule = Schedule(
        epochs=100,
        batch_size=128,
        optimiser="sgd",
        learning_rate=0.01,
        momentum=0.9,
        weight_decay=1e-4,
        milestones=(15, 30, 45, 60, 75, 90),
        decay=0.1,
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.diversify)) != len(self.diversify):
            raise ValueError(f"diversify names one twice: {', '.join(self.diversify)}")
        return self


def _variant_of(settings: MANetSettings) -> str:
    """Return ``manet`` and what it diversifies."""
    return " ".join(("manet", *settings.diversify))


METHOD = Declaration(
    name="manet",
    settings=MANetSettings,
    network=network_at("openfer.methods.manet:MANet"),
    variants={"manet": {"diversify": ()}, "manet branch spatial channel": {}},
    variant_of=_variant_of,
    supports_sample_weights=True,
    supports_soft_labels=True,
)
