"""What a user may say about exporting."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from openfer.errors import ParameterError
from openfer.parameters import WITHOUT_EFFECT, Settings
from openfer.runs.words import in_words


class ExportSettings(Settings):
    """Parameters of the block ``export``.

    Attributes:
        run: what is exported: a method, for all of its requested runs, or the slug of a run that the present
            parameters ask for. ``openfer export RUN`` takes any finished run.
        int8: whether a second file of 8-bit integers is made. It needs labelled test faces.
        accepts_loss: whether that file is written even if it loses more than a percentage point of accuracy.
    """

    run: str = Field("geometry", json_schema_extra=WITHOUT_EFFECT)
    int8: bool = Field(False, json_schema_extra=WITHOUT_EFFECT)
    accepts_loss: bool = False


def export_settings(parameters: Mapping[str, Any]) -> ExportSettings:
    """Return the block ``export`` of parameters; the defaults where there is none.

    Raises:
        ParameterError: if it is not valid.
    """
    try:
        return ExportSettings.model_validate(parameters.get("export") or {})
    except ValidationError as error:
        raise ParameterError(in_words("export", error)) from error
