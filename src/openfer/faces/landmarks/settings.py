"""What a user may say about the heat-map regressor; no torch here, so that parameters are checked at once."""

from pydantic import Field

from openfer.parameters import WITHOUT_EFFECT, Settings


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
        fresh: True trains anew although nothing changed.
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
    sigma: float = Field(1.2, gt=0, le=4)
    hidden_weight: float = Field(0.25, ge=0, le=1)
    epochs: int = Field(ge=1)
    batch_size: int = Field(32, ge=2)
    learning_rate: float = Field(0.002, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    augment: AugmentSettings = AugmentSettings()
