"""Probe: what openly licensed features of faces say of expressions, read by a small classifier."""

from openfer.methods.declared.probe import METHOD
from openfer.methods.small_classifier import SmallClassifier


class Probe(SmallClassifier):
    """Reads the middle maps of dlib's face recognition network, which nobody taught expressions."""

    declared = METHOD
