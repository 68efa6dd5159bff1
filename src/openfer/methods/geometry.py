"""Geometry: what blendshapes and mesh say of expressions, read by a small classifier."""

from openfer.methods.declared.geometry import METHOD
from openfer.methods.small_classifier import SmallClassifier


class Geometry(SmallClassifier):
    """Reads 52 blendshapes and 478 points without the head's position, size and rotation.

    Geometry crosses from rendered faces to photographs, texture does not.
    """

    declared = METHOD
