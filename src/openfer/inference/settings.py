"""What a user may say about predicting; light, so that parameters are checked without a model."""

from pathlib import Path

from pydantic import Field

from openfer.parameters import FILE, WITHOUT_EFFECT, RawFolder, Settings

SMALLEST_FACE = 0.2
"""The default of ``smallest_face``. Then heads of 15 % of a 3:2 image's shorter side are still found beside larger
ones, and a search takes seven to ten looks of the detector."""


class PredictSettings(Settings):
    """Parameters of the pipeline ``predict``.

    Attributes:
        folder: images and videos, in it and in all folders below.
        model: a carried model, the path of an ``.onnx`` file, or the slug of an exported run.
        smooth: time constant, in seconds, of an average over each track of a video; None is none.
        smallest_face: share of an image's shorter side; faces below it are looked for only where there is no larger
            one.
        fresh: True predicts again although nothing changed.
    """

    folder: RawFolder = RawFolder(Path("data/01_raw/photographs"))
    model: str = Field("geometry", json_schema_extra=FILE)
    smooth: float | None = Field(None, gt=0)
    smallest_face: float = Field(SMALLEST_FACE, gt=0, lt=1)
    fresh: bool = Field(False, json_schema_extra=WITHOUT_EFFECT)
