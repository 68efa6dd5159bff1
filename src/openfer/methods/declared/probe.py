"""Probe: a small classifier of open features that are not trained any further, a floor for networks: its settings."""

from typing import Annotated

from pydantic import Field, field_validator

from openfer.labels import EXPRESSIONS
from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import Schedule
from openfer.parameters import Settings


class SmallClassifierSettings(Settings):
    """Parameters of a small classifier that reads extras in place of pixels; from no paper.

    Attributes:
        schedule: training schedule; it takes seconds on a CPU.
        hidden: units between its two layers.
        dropout: before each of the two layers.
        class_weights: weight of a face of each expression in the loss; 1 for those not named. Where all are equally
            frequent in training, the shares that are expected in use, up to a factor, fit the predictions to these. A
            face with soft labels (votes, smoothing) has the mean weight of their shares.
    """

    schedule: Schedule = Schedule(
        epochs=30,
        batch_size=64,
        learning_rate=1e-3,
        weight_decay=1e-4,
        learning_rate_schedule="cosine",
    )
    hidden: int = Field(default=128, ge=8)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    class_weights: dict[str, Annotated[float, Field(gt=0)]] = {}

    @field_validator("class_weights")
    @classmethod
    def _known(cls, value: dict[str, float]) -> dict[str, float]:
        if unknown := sorted(set(value) - set(EXPRESSIONS)):
            raise ValueError(f"class_weights names {', '.join(unknown)}; the expressions are {', '.join(EXPRESSIONS)}")
        return value


class ProbeSettings(SmallClassifierSettings):
    """Parameters of the probe; of no paper. They were chosen on a fifth of FER+'s training faces."""

    schedule: Schedule = Schedule(
        epochs=20,
        batch_size=128,
        optimiser="adamw",
        learning_rate=1e-3,
        weight_decay=0.1,
        learning_rate_schedule="cosine",
    )
    hidden: int = Field(default=512, ge=8)
    dropout: float = Field(default=0.3, ge=0, lt=1)


METHOD = Declaration(
    name="probe",
    settings=ProbeSettings,
    network=network_at("openfer.methods.probe:Probe"),
    extras=("open_features",),
    looks_at_pixels=False,
    supports_sample_weights=True,
    supports_soft_labels=True,
)
