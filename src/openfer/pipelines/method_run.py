"""The parameters of one method's pipeline: what to train on what, and how."""

from typing import Any, Self

from pydantic import Field, SerializeAsAny, ValidationInfo, field_validator, model_validator

from openfer.errors import ParameterError
from openfer.methods.declaration import METHODS
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.parameters import WITHOUT_EFFECT, Settings
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.mask_settings import MASKED


class MethodRun(Settings):
    """One top-level block of parameters, such as ``addl``.

    Attributes:
        method: the registered method.
        variant: the name of a row of the paper's table, as the method's ``variants`` has it: what makes that row
            stands over ``settings``. None takes these as they are.
        datasets: what it trains on; all of them, one after the other in each epoch's shuffle.
        tested_on: further datasets that it is only tested on; the files of these decide, not their names.
        fold: of datasets that are split into folds, the one that is tested; the others train.
        seed: root of every draw.
        fresh: True trains anew although nothing changed.
        label_noise: share of the training labels of the first task that are made wrong, to see what that does; those
            of validation and test stay. A result's row says so.
        initialisation: where the backbone's first weights come from.
        images: crop, flip, augmentation and normalisation.
        training: device, precision, selection, checkpoints.
        settings: the method's own parameters, checked by its own model.
    """

    method: str
    variant: str | None = Field(None, json_schema_extra=WITHOUT_EFFECT)  # the settings that it makes decide
    datasets: tuple[str, ...] = Field(min_length=1)
    tested_on: tuple[str, ...] = Field((), json_schema_extra=WITHOUT_EFFECT)
    fold: int = Field(0, ge=0)
    seed: int = Field(ge=0)
    fresh: bool = Field(False, json_schema_extra=WITHOUT_EFFECT)
    label_noise: float = Field(0.0, ge=0, lt=1)
    initialisation: InitialisationSettings = InitialisationSettings()
    images: ImageSettings
    training: TrainingConfig = TrainingConfig()
    settings: SerializeAsAny[Settings]

    def row(self, variant: str) -> str:
        """Return a method's variant with what this run adds to it: the mask, and noise in the labels."""
        words = [variant]
        mask = self.training.neighbourhood_mask
        if mask is not None and self.method != MASKED:
            words.append("mask")
        if mask is not None and mask.threshold != "batch_mean":
            words.append(f"T {mask.threshold}")
        if self.label_noise:
            words.append(f"noise {self.label_noise:.0%}".replace("%", " %"))
        return " ".join(words)

    @model_validator(mode="after")
    def _is_obeyed(self) -> Self:
        masked = self.training.neighbourhood_mask is not None
        if self.method == MASKED and not masked:
            raise ValueError(f"{MASKED} without its neighbourhood mask is two_scale: run that pipeline, or set one")
        initialised = self.initialisation.backbone != "none"
        if masked or self.label_noise or initialised:
            declared, start = METHODS[self.method], METHODS[self.method].initialised_from
            if masked and not declared.supports_sample_weights:  # before the generator is trained
                raise ValueError(
                    f"training.neighbourhood_mask gives samples weights, which {self.method} does not read; "
                    "leave it null"
                )
            if initialised and start is not None:
                raise ValueError(
                    f"initialisation.backbone is {self.initialisation.backbone}, but {self.method} begins with the "
                    f"weights of {start}; set it to none, or {start}.initialisation.backbone"
                )
            if self.label_noise and not declared.tasks_of(self.settings):
                raise ValueError(f"label_noise is {self.label_noise}, but {self.method} reads no label; set it to 0")
        return self

    @field_validator("settings", mode="before")
    @classmethod
    def _check_with_the_method(cls, value: Any, info: ValidationInfo) -> Any:
        name, variant = info.data.get("method"), info.data.get("variant")
        if isinstance(value, Settings) and variant is not None:
            value = value.model_dump()
        if name is None or not isinstance(value, dict):
            return value
        declared = METHODS[name]
        try:
            row = value if variant is None else declared.with_variant(variant, value)
        except ParameterError as error:
            raise ValueError(str(error)) from error  # pydantic's own family, told with all other mistakes
        return declared.settings.model_validate(row)

    @field_validator("method")
    @classmethod
    def _registered(cls, value: str) -> str:
        if value not in METHODS:
            raise ValueError(f"method {value!r} does not exist; the methods are {', '.join(METHODS)}")
        return value


def prerequisites_of(method: str) -> tuple[str, ...]:
    """Return the names of the runs whose models a method's node takes: those of the method's default settings."""
    declared = METHODS[method]
    return declared.prerequisites_of(declared.settings())
