"""A cloth mask over nose, mouth and chin, cut out of the face's own surface."""

import numpy as np

from openfer_faces.synthetic.colours import Colour, linear
from openfer_faces.synthetic.landmarks import NOSE_TIP
from openfer_faces.synthetic.occluders.piece import Piece
from openfer_faces.synthetic.parts import Part
from openfer_faces.synthetic.renderer.materials import Material
from openfer_faces.synthetic.template import Template

_COLOURS: tuple[Colour, ...] = ((150, 190, 215), (235, 238, 240), (35, 38, 44), (190, 215, 235))
_TENSION_POINTS = (
    (0, 6.36),
    *((side * x, y) for side in (-1, 1) for x, y in ((0.42, 6.85), (0.55, 6.7), (0.35, 6.42))),
)
"""Chin and cheeks, where the cloth rests besides the nose tip: x, y on the reference head."""

_THICKNESS = 0.03
_TENSION = 0.1
"""Pull of the cloth against its stiffness; without it the cloth bulges beyond the cheeks."""

_BULGE = 0.05


class FaceMask:
    """A mask for any face: a thin-plate surface through its rim, the nose tip, the cheeks and the chin.

    It must not copy the mouth, so its inner vertices follow those anchors and nothing else.

    Args:
        template: what all people share.

    Attributes:
        alpha: opacity over the texture, (height, width, 1), float32.
        hides: triangles of the head that it covers for good, (T,), bool.
        covers_landmark: (68,), bool.
    """

    def __init__(self, template: Template) -> None:
        head, space = template.head, template.space
        alpha = space.polygons([_outline(template)], 2)
        self.alpha = alpha[..., None]
        at_vertex = space.sample(alpha)
        on_skin = head.parts == Part.SKIN
        at_corner = at_vertex[head.triangles]
        cloth = head.triangles[on_skin & (at_corner.max(1) > 0.03)]
        inside_mouth = np.isin(head.parts, (Part.MOUTH_CAVITY, Part.TEETH, Part.TONGUE))
        self.hides = (on_skin & (at_corner.min(1) > 0.6)) | inside_mouth
        self.covers_landmark = at_vertex[template.landmarks] > 0.4
        triangles = np.concatenate([cloth, _mouth_patch(template, cloth)])
        self._corners = space.corner_coordinates(triangles)
        self._vertices = np.unique(triangles)
        self._triangles = np.searchsorted(self._vertices, triangles)
        rim = at_vertex[self._vertices]
        self._fullness = np.clip(1.5 * rim - 0.3, 0, 1)[:, None]
        rests = self._resting(template, rim)
        self._anchors = self._vertices[rests]
        self._weights = _plate_weights(template.reference[self._vertices], self._triangles, rests)

    def wear(self, vertices: np.ndarray, normals: np.ndarray) -> list[Piece]:
        """Return the cloth on a face (V, 3) with unit normals (V, 3), decimetres."""
        anchors = vertices[self._anchors] + _THICKNESS * normals[self._anchors]
        # einsum, and no matrix product: its result does not depend on the number of threads
        surface = np.einsum("va,ac->vc", self._weights, anchors) + np.array([0, 0, _BULGE], np.float32) * self._fullness
        return [Piece(surface, self._triangles, Material.FACE_MASK, self._corners)]

    def _resting(self, template: Template, rim: np.ndarray) -> np.ndarray:
        """Which of the cloth's vertices rest on the face, bool."""
        places = template.reference[self._vertices]
        rests = rim < 0.5
        rests |= self._vertices == template.landmarks[NOSE_TIP]
        for x, y in _TENSION_POINTS:
            distance = (places[:, 0] - x) ** 2 + (places[:, 1] - y) ** 2 - 0.05 * places[:, 2]
            rests[np.argmin(distance)] = True
        return rests


def mask_colour(generator: np.random.Generator) -> np.ndarray:
    """Draw the colour of a mask, linear, (3,)."""
    return linear(_COLOURS[generator.integers(len(_COLOURS))])


def _outline(template: Template) -> list[tuple[float, float]]:
    """Return the mask's outline on the texture, texture units."""
    place = template.space.place
    bridge = float(template.reference[template.landmarks[28], 1])
    upper = [place(x, bridge - drop) for x, drop in ((0, 0.03), (0.18, 0.10), (0.40, 0.26))]
    side = [place(0.62, bridge - 0.36, 0.55), place(0.66, bridge - 0.75, 0.55)]
    lower = [place(0.50, 6.33, 0.85), place(0.25, 6.20, 1.15), place(0, 6.15, 1.3)]
    left = upper + side + lower
    middle = left[0][0]
    return left + [(2 * middle - x, y) for x, y in left[-2:0:-1]]


def _mouth_patch(template: Template, cloth: np.ndarray) -> np.ndarray:
    """Return triangles that close the mouth's hole, as a fan around the middle of the lower lip."""
    edges = np.concatenate([cloth[:, [0, 1]], cloth[:, [1, 2]], cloth[:, [2, 0]]])
    _, inverse, count = np.unique(np.sort(edges, 1), axis=0, return_inverse=True, return_counts=True)
    border = edges[count[inverse.ravel()] == 1]
    places = template.reference[border]
    top = template.reference[template.landmarks[51], 1] + 0.02
    bottom = template.reference[template.landmarks[57], 1] - 0.02
    around_mouth = (np.abs(places[..., 0]) < 0.26) & (places[..., 1] > bottom) & (places[..., 1] < top)
    border = border[around_mouth.all(1)]
    centre = template.landmarks[66]
    border = border[(border != centre).all(1)]
    return np.stack([border[:, 1], border[:, 0], np.full(len(border), centre)], 1)


def _plate_weights(places: np.ndarray, triangles: np.ndarray, anchored: np.ndarray) -> np.ndarray:
    """Return how each vertex of a thin plate follows its anchors, (vertices, anchors), float32."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.concatenate([edges, edges[:, ::-1]])
    stiffness = np.zeros((len(places), len(places)))
    lengths = np.linalg.norm(places[edges[:, 0]] - places[edges[:, 1]], axis=1)
    stiffness[edges[:, 0], edges[:, 1]] = 1 / np.maximum(lengths, 0.01)
    laplacian = np.eye(len(places)) - stiffness / stiffness.sum(1, keepdims=True)
    energy = laplacian.T @ laplacian + _TENSION * laplacian
    free, fixed = np.flatnonzero(~anchored), np.flatnonzero(anchored)
    weights = np.zeros((len(places), len(fixed)), np.float32)
    weights[fixed, np.arange(len(fixed))] = 1
    weights[free] = np.linalg.solve(energy[np.ix_(free, free)], -energy[np.ix_(free, fixed)])
    return weights
