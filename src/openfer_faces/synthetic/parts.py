"""Cuts the head and a hand out of the full body mesh and names the parts of the head."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from openfer_faces.synthetic.mesh_files import QuadMesh

_SHOULDER_HEIGHT = 4.2
_SHOULDER_HALF_WIDTH = 2.6
_FOREARM_START = 2.75


class Part(IntEnum):
    """What a triangle of the head is."""

    SKIN = 0
    MOUTH_CAVITY = 1
    EYE_SOCKET = 2
    LEFT_EYE = 3
    RIGHT_EYE = 4
    TEETH = 5
    TONGUE = 6
    LONG_HAIR = 8


@dataclass(frozen=True)
class HeadMesh:
    """Triangles cut out of the base mesh.

    Attributes:
        used: vertices of the base mesh that are kept, in order, (V,).
        triangles: indices into ``used``, (T, 3), int32.
        texture_triangles: indices into the base mesh's texture points, (T, 3).
        parts: :class:`Part` of each triangle, (T,), int32.
    """

    used: np.ndarray
    triangles: np.ndarray
    texture_triangles: np.ndarray
    parts: np.ndarray

    @property
    def is_skin(self) -> np.ndarray:
        """True for triangles of the skin and the mouth cavity, (T,)."""
        return np.isin(self.parts, (Part.SKIN, Part.MOUTH_CAVITY))


def cut_head(base: QuadMesh, painted: np.ndarray) -> tuple[HeadMesh, HeadMesh]:
    """Cut the head with shoulders, and the left hand with forearm, out of the body.

    Args:
        base: the whole body with its helper geometry.
        painted: the part each quad is painted as in the segmentation, (F,), str.

    Returns:
        The head, and the hand (whose triangles are all of part ``SKIN``).
    """
    centres = base.vertices[base.quads].mean(1)
    body = base.groups == "body"
    upper = body & (centres[:, 1] > _SHOULDER_HEIGHT) & (np.abs(centres[:, 0]) < _SHOULDER_HALF_WIDTH)
    parts = np.full(len(base.quads), -1, np.int32)
    parts[upper] = Part.SKIN
    parts[upper & np.isin(painted, ("mouth_cavity", "tongue"))] = Part.MOUTH_CAVITY
    parts[upper & np.isin(painted, ("eye_cavity.L", "eye_cavity.R"))] = Part.EYE_SOCKET
    parts[base.groups == "helper-l-eye"] = Part.LEFT_EYE
    parts[base.groups == "helper-r-eye"] = Part.RIGHT_EYE
    parts[np.char.find(base.groups, "teeth") >= 0] = Part.TEETH
    parts[base.groups == "helper-tongue"] = Part.TONGUE
    parts[base.groups == "helper-hair"] = Part.LONG_HAIR
    hand = body & ~upper & (centres[:, 0] > _FOREARM_START) & (centres[:, 1] > 0)
    return _cut(base, parts >= 0, parts), _cut(base, hand, np.zeros_like(parts))


def _cut(base: QuadMesh, keep: np.ndarray, parts: np.ndarray) -> HeadMesh:
    quads, texture_quads = base.quads[keep], base.texture_quads[keep]
    used = np.unique(quads)
    renumbered = np.full(len(base.vertices), -1)
    renumbered[used] = np.arange(len(used))
    return HeadMesh(used, split(renumbered[quads]), split(texture_quads), np.concatenate([parts[keep], parts[keep]]))


def split(quads: np.ndarray) -> np.ndarray:
    """Split quads (F, 4) into triangles (2 F, 3), int32: all first halves, then all second halves."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
