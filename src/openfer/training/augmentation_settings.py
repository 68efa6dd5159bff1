"""What may be done to a training image after crop and flip; no torch here, so that parameters are checked at once."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from openfer.parameters import Settings

Probability = Annotated[float, Field(ge=0, le=1)]


class _Range(Settings):
    """The check of two numbers that bound a draw."""

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        for name in ("share", "scale"):
            low, high = getattr(self, name, (0, 0))
            if low > high:
                raise ValueError(f"{name} is [{low}, {high}]; the smaller number comes first")
        return self


class RotateAndCrop(Settings):
    """Now and then: turn the image, pad it with black and crop it again (FDRL-ECANet; diversified features).

    Attributes:
        probability: of doing both.
        degrees: largest angle to either side.
        padding: on each side, as a share of the crop; the papers pad 224 pixels by 32.
    """

    kind: Literal["rotate_and_crop"] = "rotate_and_crop"
    probability: Probability = 0.2
    degrees: float = Field(20, ge=0, le=180)
    padding: float = Field(1 / 7, ge=0, le=1)


class Erase(_Range):
    """Now and then: paint a rectangle in the mean colour; normalised, it is zero to within half a grey level.

    Attributes:
        probability: of erasing.
        share: smallest and largest area of the rectangle, of the image's.
    """

    kind: Literal["erase"] = "erase"
    probability: Probability = 0.5
    share: tuple[Probability, Probability] = (0.02, 0.25)


class Jitter(Settings):
    """Change brightness and contrast by a factor in [1 - x, 1 + x] each (ESR).

    Attributes:
        brightness: x of the brightness.
        contrast: x of the contrast.
    """

    kind: Literal["jitter"] = "jitter"
    brightness: Probability = 0.5
    contrast: Probability = 0.5


class Affine(_Range):
    """Turn, shift and scale, bilinear, with black around (ESR).

    Attributes:
        degrees: largest angle to either side.
        translate: largest shift in each direction, as a share of the side.
        scale: smallest and largest magnification.
    """

    kind: Literal["affine"] = "affine"
    degrees: float = Field(30, ge=0, le=180)
    translate: Probability = 0.1
    scale: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (1.0, 1.25)


class ResizedCrop(_Range):
    """Take a rectangle of random area and shape instead of the plain random crop, resized to the crop (MA-Net).

    Attributes:
        share: smallest and largest area of the rectangle, of the image's.
    """

    kind: Literal["resized_crop"] = "resized_crop"
    share: tuple[Probability, Probability] = (0.08, 1.0)


Augmentation = Annotated[RotateAndCrop | Erase | Jitter | Affine | ResizedCrop, Field(discriminator="kind")]
