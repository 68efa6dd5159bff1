"""What the extra ``open_features`` is measured with; readable without torch."""

from pydantic import Field

from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.parameters import Settings

OPEN_FEATURES = (64 + 128) * 9
"""Numbers of a face: the third and fourth tap of dlib's trunk, averaged over 3 x 3 cells."""


class OpenFeaturesSettings(Settings):
    """Parameters of the block ``open_features``.

    Attributes:
        initialisation: the weights; an entry of the manifest whose architecture is ``dlib_resnet29``.
        side: pixels to which a face is resized.
    """

    initialisation: InitialisationSettings
    side: int = Field(104, ge=55, le=512)
