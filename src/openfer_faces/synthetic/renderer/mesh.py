"""The geometry of one image: a person with an expression, a hairstyle and what covers the face."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openfer_faces.synthetic.occluders.face_mask import FaceMask
from openfer_faces.synthetic.occluders.hand import Hand
from openfer_faces.synthetic.occluders.locks import hair_locks
from openfer_faces.synthetic.occluders.piece import Piece
from openfer_faces.synthetic.occluders.sunglasses import sunglasses
from openfer_faces.synthetic.parts import Part
from openfer_faces.synthetic.people.person import Person
from openfer_faces.synthetic.renderer import rasteriser
from openfer_faces.synthetic.renderer.materials import Material
from openfer_faces.synthetic.renderer.rasteriser import WarpArray
from openfer_faces.synthetic.scene.description import Scene
from openfer_faces.synthetic.template import Template

_OLD_LIDS = 0.75
_PIECE_OPENNESS = 0.95
_HAIR_LAYER_TURNS = (-0.07, 0.07)


@dataclass(frozen=True)
class Mesh:
    """Vertices and triangles where the rasteriser reads them.

    Attributes:
        vertices: decimetres, 3-vectors.
        normals: unit 3-vectors.
        references: places on the reference head, 3-vectors.
        openness: share of the sky seen, floats.
        triangles: vertex indices, (T, 3).
        materials: per triangle.
        corners: texture coordinates, (T, 3).
        material_names: the materials again, NumPy, (T,).
        landmarks: the 68 points, decimetres, NumPy, (68, 3).
    """

    vertices: WarpArray
    normals: WarpArray
    references: WarpArray
    openness: WarpArray
    triangles: WarpArray
    materials: WarpArray
    corners: WarpArray
    material_names: np.ndarray
    landmarks: np.ndarray


class MeshBuilder:
    """Builds the geometry of scenes.

    Args:
        template: what all people share.

    Attributes:
        mask: the cloth mask.
    """

    def __init__(self, template: Template) -> None:
        self._template = template
        head = template.head
        self.mask = FaceMask(template)
        self._hand = Hand(template.assets.hand_vertices, template.assets.hand_triangles)
        self._all_triangles = rasteriser.integers(head.triangles)
        middle = template.reference[head.triangles].mean(1)
        fringe = (middle[:, 2] > 0.40) & (middle[:, 1] < 8.42)
        self._long_hair = (head.parts == Part.LONG_HAIR) & ~fringe
        self._bare = {(long, masked): self._layout(long, masked) for long in (False, True) for masked in (False, True)}
        self._references = rasteriser.vectors(template.reference)
        self._openness = rasteriser.floats(template.openness)

    def build(self, person: Person, scene: Scene, units: dict[str, float], generator: np.random.Generator) -> Mesh:
        """Return the geometry of a scene.

        Args:
            person: who it is.
            scene: what covers the face, and from where it is seen.
            units: action units of the expression.
            generator: draws the occluder's details.
        """
        template = self._template
        face = person.shape.vertices + person.shape.scale * template.head.displacement(_weights(person, units))
        surface = rasteriser.vectors(face)
        normals = rasteriser.vertex_normals(surface, self._all_triangles)
        if person.traits.hairstyle != "bald":
            face = face + normals.numpy() * person.hair_volume[:, None]
            surface = rasteriser.vectors(face)
            normals = rasteriser.vertex_normals(surface, self._all_triangles)
        long = person.traits.hairstyle == "long"
        masked = scene.occluder == "mask"
        triangles, names, materials, corners, keep = self._bare[long, masked]
        landmarks = face[template.landmarks]
        pieces = self._pieces(person, scene, face, normals, generator)
        if long:
            pieces += self._hair_layers(face)
        if not pieces:
            return Mesh(
                *(surface, normals, self._references, self._openness),
                *(triangles, materials, corners, names, landmarks),
            )
        bare = (face, normals.numpy(), template.head.triangles[keep], names, template.corners[keep])
        return self._joined(bare, pieces, landmarks)

    def _layout(self, long: bool, masked: bool) -> tuple[WarpArray, np.ndarray, WarpArray, WarpArray, np.ndarray]:
        """Triangles, materials and corners of the head with or without long hair and mask."""
        head = self._template.head
        keep = head.parts != Part.LONG_HAIR
        if long:
            keep = keep | self._long_hair
        if masked:
            keep = keep & ~self.mask.hides
        names = head.parts[keep]
        return (
            rasteriser.integers(head.triangles[keep]),
            names,
            rasteriser.integers(names),
            rasteriser.coordinates(self._template.corners[keep]),
            keep,
        )

    def _pieces(
        self, person: Person, scene: Scene, face: np.ndarray, normals: WarpArray, generator: np.random.Generator
    ) -> list[Piece]:
        neutral = person.shape.vertices
        points = neutral[self._template.landmarks]
        match scene.occluder:
            case "sunglasses":
                return sunglasses(points, generator)
            case "hand":
                return self._hand.hold(points, generator, scene.yaw)
            case "hair":
                return hair_locks(self._template, neutral, generator)
            case "mask":
                return self.mask.wear(face, normals.numpy())
        return []

    def _hair_layers(self, face: np.ndarray) -> list[Piece]:
        """Two more layers of long hair, slightly turned, that close the gaps between its strands."""
        used, triangles = np.unique(self._template.head.triangles[self._long_hair], return_inverse=True)
        pieces = []
        for turn in _HAIR_LAYER_TURNS:
            strands = face[used] - [0, 0, 0.3]
            cosine, sine = np.cos(turn), np.sin(turn)
            x = cosine * strands[:, 0] + sine * strands[:, 2]
            z = cosine * strands[:, 2] - sine * strands[:, 0]
            layer = np.stack([0.975 * x, strands[:, 1] - 0.03, 0.975 * z + 0.3], 1)
            pieces.append(Piece(layer, triangles.reshape(-1, 3), Material.LONG_HAIR))
        return pieces

    def _joined(self, bare: tuple[np.ndarray, ...], pieces: Sequence[Piece], landmarks: np.ndarray) -> Mesh:
        """Return the bare head and the pieces as one mesh."""
        face, normals, triangles, materials, corners = bare
        counts = [len(piece.vertices) for piece in pieces]
        starts = np.cumsum([0, *counts[:-1]])
        added = np.concatenate([piece.vertices for piece in pieces]).astype(np.float32)
        added_triangles = np.concatenate([piece.triangles + start for piece, start in zip(pieces, starts, strict=True)])
        added_materials = [np.full(len(piece.triangles), piece.material, np.int32) for piece in pieces]
        added_corners = [
            np.zeros((len(piece.triangles), 3, 2), np.float32) if piece.corners is None else piece.corners
            for piece in pieces
        ]
        added_normals = rasteriser.normals_of(added, added_triangles)
        added_openness = np.full(len(added), _PIECE_OPENNESS, np.float32)
        names = np.concatenate([materials, *added_materials])
        return Mesh(
            vertices=rasteriser.vectors(np.concatenate([face, added])),
            normals=rasteriser.vectors(np.concatenate([normals, added_normals])),
            references=rasteriser.vectors(np.concatenate([self._template.reference, added])),
            openness=rasteriser.floats(np.concatenate([self._template.openness, added_openness])),
            triangles=rasteriser.integers(np.concatenate([triangles, added_triangles + len(face)])),
            materials=rasteriser.integers(names),
            corners=rasteriser.coordinates(np.concatenate([corners, *added_corners])),
            material_names=names,
            landmarks=landmarks,
        )


def _weights(person: Person, units: dict[str, float]) -> dict[str, float]:
    """Return shape weights of an expression on a person's relaxed face."""
    weights = dict(units)
    if person.traits.age_axis > _OLD_LIDS:
        # old lids have no room for a full squint and a raised cheek at once
        for side in ("Left", "Right"):
            squint, cheek = f"eyeSquint{side}", f"cheekSquint{side}"
            total = weights.get(squint, 0.0) + weights.get(cheek, 0.0)
            for name in (squint, cheek):
                if total > 0.9 and name in weights:
                    weights[name] *= 0.9 / total
    for name, weight in person.shape.rest.items():
        weights[name] = weights.get(name, 0.0) + weight
    return {f"unit:{name}": weight for name, weight in weights.items() if weight != 0}
