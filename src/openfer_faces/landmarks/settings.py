"""What a user may say about landmarks; no torch here, so that parameters are checked at once."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from openfer.parameters import FILE, WITHOUT_EFFECT, Settings, at_home

Name = Literal["mediapipe", "heatmap", "dlib68", "external"]
"""The landmarkers there are."""


class AugmentSettings(Settings):
    """How a rendered face is made unlike any other, so that photographs are within what was seen.

    Attributes:
        detector_noise: deviation of the five points that align it, share of the crop; a detector's is about 0.01.
        roll_std: turn that alignment leaves, degrees.
        zoom_std: size that alignment leaves, share.
        shift_std: place that alignment leaves, share of the crop.
        occluded_share: share of faces on which patches are pasted; points below them are hidden.
        background_share: share of faces behind which another texture is put.
        grey_share: share of faces without colour.
    """

    detector_noise: float = Field(0.012, ge=0, le=0.1)
    roll_std: float = Field(4.0, ge=0, le=45)
    zoom_std: float = Field(0.04, ge=0, le=0.3)
    shift_std: float = Field(0.015, ge=0, le=0.3)
    occluded_share: float = Field(0.55, ge=0, le=1)
    background_share: float = Field(0.4, ge=0, le=1)
    grey_share: float = Field(0.15, ge=0, le=1)


class HeatmapSettings(Settings):
    """Network and training of the heat-map regressor.

    Attributes:
        seed: of weights, order and augmentation.
        fresh: True trains again although nothing changed.
        input_size: side to which crops are brought, pixels; a map's cell is a quarter of it wide.
        width: channels of the finest maps; the coarser ones have two, three and four times as many.
        sigma: deviation of the target's Gaussian, cells.
        hidden_weight: what the place of a hidden point counts, against 1 for a visible one.
        epochs: passes over the training faces.
        batch_size: faces of one step.
        learning_rate: of AdamW at its height; it rises over the first epoch and falls to zero as a cosine.
        weight_decay: of AdamW.
        augment: how faces are varied.
    """

    seed: int = Field(0, ge=0)
    fresh: bool = Field(False, json_schema_extra=WITHOUT_EFFECT)
    input_size: int = Field(128, ge=32, le=256, multiple_of=32)
    width: int = Field(48, ge=8, le=256)
    sigma: float = Field(1.0, gt=0, le=4)
    hidden_weight: float = Field(0.25, ge=0, le=1)
    epochs: int = Field(ge=1)
    batch_size: int = Field(32, ge=2)
    learning_rate: float = Field(0.002, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    augment: AugmentSettings = AugmentSettings()


class ExternalSettings(Settings):
    """What a detector's file expects and gives.

    Attributes:
        path: a TorchScript file, or an ONNX file (its name ends in ``.onnx``).
        sha256: the hash that the file must have; None checks nothing.
        name: how tables and figures call it.
        licence: of its weights.
        input_size: side of its input, pixels.
        mean: subtracted from each channel in [0, 1].
        std: each channel is divided by it.
        bgr: whether the channels' order is blue, green, red.
        gives: ``heatmaps``, (N, K, h, w) with K >= 68, non-negative, of which further maps (SAN's
            background) are left out; or ``points``, (N, 68, 2) in input pixels, and ``scores``, (N, 68).
        confidence: ``calibrated`` makes the detector's scores probabilities that a point is visible, by rendered faces;
            ``raw`` takes the scores themselves, the maximum of a point's heat map where it gives heat maps. OADN prints
            its T = 0.6 for SAN's raw score.
        stage: which output counts where a network gives one per stage; FAN's and SAN's last one is best.
    """

    path: Path = Field(json_schema_extra=FILE)
    sha256: str | None = Field(None, pattern="^[0-9a-fA-F]{64}$")
    name: str = "external"
    licence: str = "unknown"
    input_size: int = Field(256, ge=16)
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bgr: bool = False
    gives: Literal["heatmaps", "points"] = "heatmaps"
    confidence: Literal["calibrated", "raw"] = "calibrated"
    stage: int = -1

    _expands = field_validator("path")(at_home)


class LandmarkerChoice(Settings):
    """The landmarker of a run.

    Attributes:
        landmarker: the one whose points are stored. ``mediapipe`` needs no training, but it has no confidence.
            ``heatmap``, openfer's own, knows which points are covered, as OADN needs: on 136 photographs with pasted
            glasses, masks and hands its AUC was 0.97 against 0.83 of ``dlib68``, and at a threshold of 0.6 it kept
            13 % of the covered points against 79 %. It is trained on rendered faces first. ``external`` is a detector
            from a file.
        compared: others that are calibrated and measured beside it.
        jitters: moved boxes by which ``dlib68`` is judged.
        external: the file, where it is chosen.
    """

    landmarker: Name = "mediapipe"
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

    @property
    def calibrated(self) -> tuple[Name, ...]:
        """Those whose scores become probabilities on rendered faces."""
        raw = self.external is not None and self.external.confidence == "raw"
        return tuple(name for name in self.names if name != "mediapipe" and not (name == "external" and raw))

    def of(self, name: Name) -> "LandmarkerChoice":
        """Return the same choice with another landmarker in use."""
        return self.model_copy(update={"landmarker": name})
