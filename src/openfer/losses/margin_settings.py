"""Parameters of the softmax with a margin; readable without torch."""

from typing import Literal

from pydantic import Field

from openfer.parameters import Settings

MarginKind = Literal["angular", "cosine"]


class Margin(Settings):
    """The softmax by which people are told apart.

    Attributes:
        kind: ``angular`` (ArcFace) or ``cosine`` (CosFace).
        size: m; 0.5 radians in ArcFace, a cosine of 0.35 in CosFace.
        scale: s; 64 in both papers, for some ten thousand people.
    """

    kind: MarginKind = "angular"
    size: float = Field(default=0.5, ge=0, le=1)
    scale: float = Field(default=64.0, gt=0)
