"""Which landmarker is used, and the checkpoint that carries what their scores mean."""

from typing import Literal

from pydantic import Field, model_validator

from openfer.errors import CheckpointError
from openfer.faces.landmarks.calibrate import Calibration
from openfer.faces.landmarks.external import External, ExternalSettings
from openfer.faces.landmarks.heatmap import from_checkpoint
from openfer.faces.landmarks.raw import CalibratedLandmarker, RawLandmarker
from openfer.io.checkpoint import Checkpoint
from openfer.parameters import Settings

_CALIBRATIONS = "calibrations"


Name = Literal["heatmap", "dlib68", "external"]


class LandmarkerChoice(Settings):
    """The landmarker of a run.

    Attributes:
        landmarker: the one whose points are stored; ``external`` is a detector from a file.
        compared: others that are calibrated and measured beside it.
        jitters: moved boxes by which ``dlib68`` is judged.
        external: the file, where it is chosen.
    """

    landmarker: Name = "heatmap"
    compared: tuple[Name, ...] = ()
    jitters: int = Field(12, ge=2)
    external: ExternalSettings | None = None

    @model_validator(mode="after")
    def _file_is_named(self) -> "LandmarkerChoice":
        if "external" in self.names and self.external is None:
            raise ValueError("the landmarker external is asked for, so external.path must say which file")
        return self

    @property
    def names(self) -> tuple[Name, ...]:
        """All landmarkers that are asked for, the one in use first."""
        return (self.landmarker, *(name for name in self.compared if name != self.landmarker))

    def of(self, name: Name) -> "LandmarkerChoice":
        """Return the same choice with another landmarker in use."""
        return self.model_copy(update={"landmarker": name})


def raw_landmarker(choice: LandmarkerChoice, checkpoint: Checkpoint) -> RawLandmarker:
    """Return the chosen landmarker with raw scores.

    Args:
        choice: which one.
        checkpoint: of the regressor; the others do not look at it.

    Raises:
        ParameterError: if its optional package is not installed.
        CheckpointError: if its file cannot serve.
    """
    if choice.external is not None and choice.landmarker == "external":
        return External(choice.external)
    if choice.landmarker == "dlib68":
        from openfer.faces.landmarks.dlib68 import Dlib68

        return Dlib68(choice.jitters)
    return from_checkpoint(checkpoint)


def with_calibration(checkpoint: Checkpoint, name: str, calibration: Calibration) -> Checkpoint:
    """Return the checkpoint with what the scores of a landmarker mean, beside those it has."""
    known = {**checkpoint.facts.get(_CALIBRATIONS, {}), name: calibration.facts()}
    return Checkpoint(checkpoint.tensors, {**checkpoint.facts, _CALIBRATIONS: known})


def landmarker(choice: LandmarkerChoice, checkpoint: Checkpoint) -> CalibratedLandmarker:
    """Return the chosen landmarker with the calibration that the checkpoint carries for it.

    Raises:
        CheckpointError: if it was never calibrated.
    """
    raw = raw_landmarker(choice, checkpoint)
    known = checkpoint.facts.get(_CALIBRATIONS, {})
    if raw.name not in known:
        raise CheckpointError(
            f"the checkpoint has calibrations of {', '.join(sorted(known)) or 'no landmarker'}, none of {raw.name}; "
            "run the pipeline landmarks with this landmarker"
        )
    return CalibratedLandmarker(raw, Calibration.from_facts(known[raw.name]))
