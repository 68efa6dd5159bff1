"""What a triangle is made of; the shader branches on these numbers."""

from enum import IntEnum

from openfer_faces.synthetic.parts import Part


class Material(IntEnum):
    """Materials; the first ones are the head's own :class:`~openfer_faces.synthetic.parts.Part`."""

    SKIN = Part.SKIN
    MOUTH_CAVITY = Part.MOUTH_CAVITY
    EYE_SOCKET = Part.EYE_SOCKET
    LEFT_EYE = Part.LEFT_EYE
    RIGHT_EYE = Part.RIGHT_EYE
    TEETH = Part.TEETH
    TONGUE = Part.TONGUE
    LONG_HAIR = Part.LONG_HAIR
    HAND = 9
    CLOTH = 10
    HAIR_LOCK = 11
    LENS = 12
    FRAME = 13
    FACE_MASK = 14
    IRIS = 15


COUNT = 16
OCCLUDING = (Material.HAND, Material.HAIR_LOCK, Material.LENS, Material.FRAME, Material.FACE_MASK)
"""Materials of things in front of the face."""
