"""Parameters of the embedded faces: how many people and images, and how wild they are."""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from openfer.labels import AGES, BASIC_EXPRESSIONS, ILLUMINATIONS, RACES
from openfer.parameters import WITHOUT_EFFECT, Settings

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]

RENDERED_GENDERS = ("male", "female")
"""Of :data:`openfer.labels.GENDERS` those that people are made of."""


class Intensity(Settings):
    """How strong expressions are; each image draws evenly between the two.

    Attributes:
        low: weakest; 0 leaves a neutral face, at most 1.2.
        high: strongest; 1 is a full expression, more exaggerates, at most 1.2.
    """

    low: float = Field(ge=0, le=1.2)
    high: float = Field(ge=0, le=1.2)

    @model_validator(mode="after")
    def _ordered(self) -> "Intensity":
        if self.low > self.high:
            raise ValueError(f"intensity.low is {self.low}, above intensity.high, which is {self.high}")
        return self


class Mixture(Settings):
    """In-the-wild variation of a set.

    Attributes:
        yaw_std: deviation of the head's turn, degrees; cut at 90.
        pitch_std: deviation of the camera's height, degrees; cut at 40.
        roll_std: deviation of the image's tilt that alignment leaves, degrees.
        zoom_std: deviation of the face's size that alignment leaves, share.
        shift_std: deviation of the face's place that alignment leaves, share of the image's side.
        occluded_share: share of images with sunglasses, a mask, a hand or hair over the face.
        flash_share: share of images with one hard light; the others have soft light from above.
        illumination: one of Multi-PIE's lights by its name for all images, such as ``light00``, with one exposure; None
            draws new light and exposure for each.
        intensity: strength of the expressions.
        everyday_share: share of images with movements as photographs show them: parts of an expression, open mouths,
            more movement at rest. The others show the prototypes.
    """

    yaw_std: float = Field(ge=0, le=60)
    pitch_std: float = Field(ge=0, le=30)
    roll_std: float = Field(ge=0, le=45)
    zoom_std: float = Field(ge=0, le=0.3)
    shift_std: float = Field(ge=0, le=0.3)
    occluded_share: Share
    flash_share: Share
    illumination: str | None = None
    intensity: Intensity
    everyday_share: Share = 0.0

    @model_validator(mode="after")
    def _one_light_or_many(self) -> Self:
        if self.illumination is not None and self.illumination not in ILLUMINATIONS:
            raise ValueError(f"illumination is {self.illumination!r}; the lights are {', '.join(ILLUMINATIONS)}")
        if self.illumination is not None and self.flash_share:
            raise ValueError(
                f"flash_share is {self.flash_share}, but all images have the light {self.illumination}; set "
                "flash_share to 0, or illumination to null"
            )
        return self


class PieSet(Settings):
    """`synthetic_pie`: identity, pose and illumination labelled, as in Multi-PIE.

    Attributes:
        people: number of identities.
        images_per_person: a person's images go through the 15 viewpoints and the 19 lights in turn.
        occluded_share: share of images with something over the face.
        intensity: strength of the expressions.
    """

    people: Count
    images_per_person: Count
    occluded_share: Share
    intensity: Intensity


class RafSet(Settings):
    """`synthetic_raf`: gender, age and race labelled, as RAF-DB's attributes.

    Attributes:
        people: number of identities; they go through all combinations of gender, age and race.
        images_per_person: images of each.
        mixture: variation of pose, light, occlusion and intensity.
    """

    people: Count
    images_per_person: Count
    mixture: Mixture


class FerSet(Settings):
    """`synthetic_fer`: seven expressions labelled and nothing else, identity-disjoint.

    Attributes:
        train_people: identities of the training partition; validation is carved from them later.
        test_people: identities of the test partition.
        images_per_person: a person's images go through the seven expressions in turn.
        genders: of the people, as are the next two; fewer make a set in which a factor does not vary.
        ages: one or more of :data:`openfer.labels.AGES`.
        races: one or more of :data:`openfer.labels.RACES`.
        mixture: variation of pose, light, occlusion and intensity.
        clear_at: intensity from which all observers name the expression, by expression. Below it rows hold votes: the
            share of neutral falls evenly from 1 at intensity 0. An expression that is not named is always recognised.
            Without any, rows hold no votes.
    """

    train_people: Count
    test_people: Count
    images_per_person: Count
    genders: tuple[str, ...] = Field(RENDERED_GENDERS, min_length=1)
    ages: tuple[str, ...] = Field(AGES, min_length=1)
    races: tuple[str, ...] = Field(RACES, min_length=1)
    mixture: Mixture
    clear_at: dict[str, Annotated[float, Field(gt=0, le=1.2)]] = {}

    @field_validator("clear_at")
    @classmethod
    def _weak_ones(cls, value: dict[str, float]) -> dict[str, float]:
        if unknown := sorted(set(value) - (set(BASIC_EXPRESSIONS) - {"neutral"})):
            raise ValueError(
                f"clear_at names {', '.join(unknown)}; the expressions are "
                f"{', '.join(name for name in BASIC_EXPRESSIONS if name != 'neutral')}"
            )
        return value

    @field_validator("genders", "ages", "races")
    @classmethod
    def _known(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = {"genders": RENDERED_GENDERS, "ages": AGES, "races": RACES}[info.field_name or ""]
        if set(value) - set(known) or len(set(value)) != len(value):
            raise ValueError(f"{info.field_name} is {list(value)}; give some of {', '.join(known)}, each once")
        return value


class SequenceSet(Settings):
    """`synthetic_sequences`: expressions that rise from neutral to their peak, as in CK+ and Oulu-CASIA.

    Attributes:
        people: number of identities.
        sequences_per_person: a person's sequences go through the six basic expressions in turn.
        frames: of each sequence, the first one neutral and the last one the peak; the stability protocol needs five.
        mixture: variation of pose, light, occlusion and of the peak's intensity; all is the same in a sequence.
    """

    people: Count
    sequences_per_person: Count
    frames: int = Field(ge=2)
    mixture: Mixture


class RenderSettings(Settings):
    """How a set is rendered.

    Attributes:
        seed: root of all randomness; the same seed gives the same bytes.
        image_size: side of the rendered faces, pixels.
        workers: rendering processes; "auto" takes one per available core.
    """

    seed: int = Field(ge=0)
    image_size: int = Field(ge=32, le=512)
    workers: Annotated[int, Field(ge=1)] | Literal["auto"] = Field("auto", json_schema_extra=WITHOUT_EFFECT)


class LandmarkSet(RenderSettings):
    """`synthetic_landmarks`: nothing labelled but the points; three groups of people that share nobody.

    Attributes:
        train_people: identities that the regressor learns from.
        calibration_people: identities on which confidences are calibrated.
        test_people: identities on which all is measured.
        images_per_person: a person's images go through the seven expressions in turn.
        mixture: variation of pose, light, occlusion and intensity.
    """

    train_people: Count
    calibration_people: Count
    test_people: Count
    images_per_person: Count
    mixture: Mixture


class SyntheticConfig(RenderSettings):
    """Parameters of the pipeline `synthesize`.

    Attributes:
        pie: the set `synthetic_pie`.
        raf: the set `synthetic_raf`.
        fer: the set `synthetic_fer`.
        sequences: the set `synthetic_sequences`.
    """

    pie: PieSet
    raf: RafSet
    fer: FerSet
    sequences: SequenceSet
