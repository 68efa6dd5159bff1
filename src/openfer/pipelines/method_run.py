"""The parameters of one method's pipeline: what to train on what, and how."""

from typing import Any

from pydantic import Field, SerializeAsAny, ValidationInfo, field_validator

from openfer.methods.names import method_names
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.parameters import WITHOUT_EFFECT, Settings
from openfer.training.config import ImageSettings, TrainingConfig


class MethodRun(Settings):
    """One top-level block of parameters, such as ``addl``.

    Attributes:
        method: the registered method.
        datasets: what it trains on; all of them, one after the other in each epoch's shuffle.
        fold: of datasets that are split into folds, the one that is tested; the others train.
        seed: root of every draw.
        fresh: True trains anew although nothing changed.
        initialisation: where the backbone's first weights come from.
        images: crop, flip, augmentation and normalisation.
        training: device, precision, selection, checkpoints.
        settings: the method's own parameters, checked by its own model.
    """

    method: str
    datasets: tuple[str, ...] = Field(min_length=1)
    fold: int = Field(0, ge=0)
    seed: int = Field(ge=0)
    fresh: bool = Field(False, json_schema_extra=WITHOUT_EFFECT)
    initialisation: InitialisationSettings = InitialisationSettings()
    images: ImageSettings
    training: TrainingConfig = TrainingConfig()
    settings: SerializeAsAny[Settings]

    @field_validator("settings", mode="before")
    @classmethod
    def _check_with_the_method(cls, value: Any, info: ValidationInfo) -> Any:
        name = info.data.get("method")
        if name not in method_names() or not isinstance(value, dict):
            return value
        from openfer.methods.registry import method_class  # torch, only when such a pipeline is asked for

        return method_class(name).config_class.model_validate(value)

    @field_validator("method")
    @classmethod
    def _registered(cls, value: str) -> str:
        if value not in method_names():
            raise ValueError(f"method {value!r} does not exist; the methods are {', '.join(method_names())}")
        return value
