"""Which landmarker is used, and the checkpoint that carries what their scores mean."""

import numpy as np

from openfer.errors import CheckpointError
from openfer.io.checkpoint import Checkpoint
from openfer_faces.landmarks.calibrate import Calibration
from openfer_faces.landmarks.external import External
from openfer_faces.landmarks.heatmap import from_checkpoint
from openfer_faces.landmarks.raw import RawLandmarker, ScoredLandmarker
from openfer_faces.landmarks.settings import LandmarkerChoice

_CALIBRATIONS = "calibrations"


def raw_landmarker(choice: LandmarkerChoice, checkpoint: Checkpoint) -> RawLandmarker:
    """Return the chosen landmarker with raw scores.

    Args:
        choice: name of the landmarker.
        checkpoint: weights of the regressor; the other landmarkers ignore it.

    Raises:
        ParameterError: if its optional package is not installed.
        CheckpointError: if its file does not fit.
    """
    if choice.external is not None and choice.landmarker == "external":
        return External(choice.external)
    if choice.landmarker == "mediapipe":
        from openfer.faces.mediapipe.points68 import Mediapipe68

        return Mediapipe68()
    if choice.landmarker == "dlib68":
        from openfer.faces.dlib68 import Dlib68

        return Dlib68(choice.jitters)
    return from_checkpoint(checkpoint)


def with_calibration(checkpoint: Checkpoint, name: str, calibration: Calibration) -> Checkpoint:
    """Return the checkpoint with what the scores of a landmarker mean, beside those it has."""
    known = {**checkpoint.facts.get(_CALIBRATIONS, {}), name: calibration.facts()}
    return Checkpoint(checkpoint.tensors, {**checkpoint.facts, _CALIBRATIONS: known})


def landmarker(choice: LandmarkerChoice, checkpoint: Checkpoint) -> ScoredLandmarker:
    """Return the chosen landmarker with the calibration that the checkpoint carries for it, or without one.

    Raises:
        CheckpointError: if it was never calibrated.
    """
    raw = raw_landmarker(choice, checkpoint)
    if choice.landmarker not in choice.calibrated:
        return ScoredLandmarker(raw, raw.confidence if isinstance(raw, External) else _as_it_is)
    known = checkpoint.facts.get(_CALIBRATIONS, {})
    if raw.name not in known:
        raise CheckpointError(
            f"the checkpoint has calibrations of {', '.join(sorted(known)) or 'no landmarker'}, none of {raw.name}; "
            "run the pipeline landmarks with this landmarker"
        )
    return ScoredLandmarker(raw, Calibration.from_facts(known[raw.name]))


def _as_it_is(scores: np.ndarray) -> np.ndarray:
    return scores.astype(np.float32)
