"""Drawings on the texture that are the same on every face: lips and lash lines."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from openfer_faces.synthetic.head import HeadModel
from openfer_faces.synthetic.parts import Part
from openfer_faces.synthetic.texture_space import TextureSpace

_ZOOM = 2


class FacePaint:
    """Masks in [0, 1] over the texture, (height, width, 1), float32.

    Args:
        space: the texture.
        head: the head model.
        reference: the reference head, (V, 3).
        eye_rims: vertices of the lids' edges.
        lip_weights: how much each vertex belongs to the lips, (V,).

    Attributes:
        lips: the red of the lips.
        upper_lashes: a line along the upper lids.
        lower_lashes: a thinner line along the lower lids.
    """

    def __init__(
        self,
        space: TextureSpace,
        head: HeadModel,
        reference: np.ndarray,
        eye_rims: np.ndarray,
        lip_weights: np.ndarray,
    ) -> None:
        self._space = space
        self._size = (space.width * _ZOOM, space.height * _ZOOM)
        self._x = space.u * (self._size[0] - 1)
        self._y = space.v * (self._size[1] - 1)
        on_face = np.isin(head.parts, (Part.SKIN, Part.MOUTH_CAVITY))
        lip_triangles = head.triangles[on_face & (lip_weights[head.triangles].mean(1) > 0.45)]
        self.lips = self._draw(1.1, lambda draw: self._fill(draw, lip_triangles))
        upper = []
        for side in (-1, 1):
            rim = eye_rims[np.sign(reference[eye_rims, 0]) == side]
            upper.append(rim[reference[rim, 1] > reference[rim, 1].mean() + 0.004])
        above = np.concatenate(upper)
        self.upper_lashes = self._draw(0.6, lambda draw: self._dots(draw, above, 2.4))
        self.lower_lashes = self._draw(0.6, lambda draw: self._dots(draw, np.setdiff1d(eye_rims, above), 1.5))

    def _draw(self, blur: float, paint: Callable[[ImageDraw.ImageDraw], None]) -> np.ndarray:
        picture = Image.new("L", self._size, 0)
        paint(ImageDraw.Draw(picture))
        picture = picture.resize((self._space.width, self._space.height), Image.Resampling.BOX)
        return self._space.soften(picture, blur)[..., None]

    def _fill(self, draw: ImageDraw.ImageDraw, triangles: np.ndarray) -> None:
        for triangle in triangles:
            draw.polygon([(self._x[vertex], self._y[vertex]) for vertex in triangle], fill=255)

    def _dots(self, draw: ImageDraw.ImageDraw, vertices: np.ndarray, radius: float) -> None:
        radius *= self._space.scale
        for x, y in zip(self._x[vertices], self._y[vertices], strict=True):
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
