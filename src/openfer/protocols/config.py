"""The parameters of splits."""

from pydantic import Field

from openfer.parameters import Settings


class ProtocolConfig(Settings):
    """How a split is made where the publisher leaves it open.

    Attributes:
        seed: root of the draw.
        validation_share: share of the training data that selects the epoch, in (0, 0.5]; whole
            subjects where subjects are known.
    """

    seed: int = Field(ge=0)
    validation_share: float = Field(gt=0, le=0.5)
