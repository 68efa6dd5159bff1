"""How faces are found and cut out; no torch here, so that parameters are checked at once."""

from typing import Literal

from pydantic import Field, model_validator

from openfer.faces.template import Frame
from openfer.parameters import WITHOUT_EFFECT, Settings

Align = Literal["detect", "points", "box", "whole"]
"""Where the face is taken from: found by a detector; given by the dataset as eyes, 5 or 68 points, or as a box; or
the image is a crop already, and its central square is taken."""

DetectorName = Literal["mediapipe", "mtcnn"]
"""What finds faces: MediaPipe's face landmarker, which openfer carries, or MTCNN (``pip install 'openfer[mtcnn]'``)."""

_SMALLEST_SHARES: dict[DetectorName, float] = {"mediapipe": 0.3, "mtcnn": 0.06}
"""What each detector finds in its first, cheapest search, for images up to 3:2."""

Meant = Literal["given", "largest", "central", "surest"]
"""Which of several faces is the dataset's: the one nearest to the given points or box, the largest, the one nearest
to the image's centre, or the one that the detector is surest of."""


class FacesConfig(Settings):
    """Parameters of the step from rows to faces.

    Attributes:
        align: where the face is taken from.
        detector: what finds faces for ``align: detect``.
        size: side of the stored crop in pixels; papers store 256 and crop 224.
        frame: how much is around the face; see :mod:`openfer.faces.template`.
        eye_weight: how much an eye counts in the fit, against 1 for nose tip and mouth corners. With 10 the eyes of
            68 photographs lie 1.1 pixels of 256 from the template (median), with 4 1.6, with 1, the plain fit, 2.4
            (chosen and measured on the same photographs); papers crop by the eyes. A face turned by 60 degrees becomes
            27 % larger with 10 and 12 % with 4; by the eyes alone it would become twice as large.
        meant: which of several detected faces is taken. ``given`` falls back to ``largest`` for a row without
            points or box.
        turned: where no face is upright, look for one in the image turned by 90, 270 and 180 degrees, as some
            videos (MMI) are stored.
        refine: a second alignment by 68 points that dlib (an optional extra) finds on a first crop. It brings the
            eyes of photographs nearer to the template where MTCNN has found them, and not where MediaPipe has.
        smallest_score: a detection below it is no face, in [0, 1]. MediaPipe's score says that its mesh
            network or its detector is sure.
        smallest_share: faces below this share of the image's shorter side are looked for only where there is no
            larger one; it makes the search several times faster. None is 0.3 for ``mediapipe`` and 0.06 for ``mtcnn``.
        smallest_side: an image or a face of fewer pixels is put into quarantine: nothing can be read in it.
        margin: around a box, as a share of its longer side; SNA crops CK+ by the box of its landmarks with 0.15. A
            dataset that gives no box is cropped by that of its 68 points.
        encoding: how crops are stored; JPEG has quality 95 without chroma subsampling.
        largest_megapixels: an image that claims more is not decoded.
        workers: processes times threads; ``auto`` is one per core. A set of a few hundred images has one process with
            all threads. The stored bytes do not depend on it.
        fresh: True aligns again although nothing changed.
    """

    align: Align
    detector: DetectorName = "mediapipe"
    size: int = Field(256, ge=32, le=1024)
    frame: Frame = "face"
    eye_weight: float = Field(10.0, ge=1, le=100)
    meant: Meant = "given"
    turned: bool = False
    refine: Literal["none", "dlib68"] = "none"
    smallest_score: float = Field(0.9, ge=0, le=1)
    smallest_share: float | None = Field(None, gt=0, lt=1)
    smallest_side: int = Field(16, ge=2)
    margin: float = Field(0.0, ge=0, le=2)
    encoding: Literal["jpeg", "png"] = "jpeg"
    largest_megapixels: float = Field(100.0, gt=0)
    workers: Literal["auto"] | int = Field("auto", json_schema_extra=WITHOUT_EFFECT)
    fresh: bool = Field(False, json_schema_extra=WITHOUT_EFFECT)

    @property
    def smallest_share_of_detector(self) -> float:
        """``smallest_share``, or what the detector finds in its cheapest search."""
        return _SMALLEST_SHARES[self.detector] if self.smallest_share is None else self.smallest_share

    @model_validator(mode="after")
    def _consistent(self) -> "FacesConfig":
        if self.workers != "auto" and self.workers < 1:
            raise ValueError(f"workers is {self.workers}; give 'auto' or a number from 1")
        if self.refine != "none" and self.align in ("box", "whole"):
            raise ValueError(
                f"refine is {self.refine!r}, but align is {self.align!r}: 68 points are found on an upright crop; use "
                "align: detect or points, or refine: none"
            )
        return self
