"""Geometry: what blendshapes and mesh say of expressions, read by a small classifier."""

from torch import Tensor

from openfer.methods.declared.geometry import METHOD, GeometrySettings
from openfer.methods.small_classifier import SmallClassifier

_BLENDSHAPES = 52


class Geometry(SmallClassifier):
    """Reads 52 blendshapes and 478 points without the head's position, size and rotation.

    Geometry crosses from rendered faces to photographs, texture does not.
    """

    declared = METHOD
    config: GeometrySettings

    def select(self, extra: Tensor) -> Tensor:
        """Return the blendshapes, the mesh or both."""
        if self.config.reads == "both":
            return extra
        return extra[:, :_BLENDSHAPES] if self.config.reads == "blendshapes" else extra[:, _BLENDSHAPES:]
