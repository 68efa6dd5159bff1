"""Ambient occlusion of the reference head, baked once: how much of the sky each vertex sees."""

import hashlib
from pathlib import Path

import numpy as np
import warp as wp

from openfer_faces.synthetic.cache import cache_folder, cached_arrays
from openfer_faces.synthetic.head import HeadModel
from openfer_faces.synthetic.parts import Part
from openfer_faces.synthetic.renderer import kernels, rasteriser
from openfer_faces.synthetic.renderer.light_view import light_view

FORMAT = 1
"""Number of the bake; raise it when its method changes."""

_DIRECTIONS = 160
_SIDE = 400
_CENTRE = np.array([0, 6.9, 0.4])
_RADIUS = 2.2
_INNER_PARTS = {
    Part.MOUTH_CAVITY: (0.55, 0.2),
    Part.LEFT_EYE: (0.80, 0.2),
    Part.RIGHT_EYE: (0.80, 0.2),
    Part.TEETH: (0.85, 0.1),
    Part.TONGUE: (0.7, 0.1),
}
"""Parts that expressions uncover: (floor, share of the baked value), because the bake sees them shut in."""


def sky_openness(head: HeadModel, reference: np.ndarray, cache: Path | None = None) -> np.ndarray:
    """Return the share of the sky that each vertex sees, in [0.28, 1], (V,), float32.

    Args:
        head: the head model.
        reference: the reference head, (V, 3).
        cache: where the bake is kept; by default the user's cache folder.
    """
    digest = hashlib.blake2b(reference.tobytes() + head.triangles.tobytes(), digest_size=6).hexdigest()
    path = (cache or cache_folder()) / f"openness-{FORMAT}-{digest}.npz"
    openness = cached_arrays(path, ["openness"], lambda: {"openness": _bake(head, reference)})["openness"].copy()
    for part, (floor, share) in _INNER_PARTS.items():
        inner = head.inner_vertices_of(part)
        openness[inner] = floor + share * openness[inner]
    return openness


def _bake(head: HeadModel, reference: np.ndarray) -> np.ndarray:
    visible = head.parts != Part.LONG_HAIR
    triangles = head.triangles[visible]
    count = len(triangles)
    buffers = (
        rasteriser.integers(triangles),
        rasteriser.integers(head.parts[visible]),
        rasteriser.coordinates(np.zeros((count, 3, 2))),
        rasteriser.floats(np.zeros((2, 2, 1))),
    )
    normals = rasteriser.normals_of(reference, head.triangles)
    vertices, lifted = rasteriser.vectors(reference), rasteriser.vectors(reference + 0.02 * normals)
    seen, total = np.zeros(len(reference)), np.zeros(len(reference))
    generator = np.random.default_rng(0)
    for _ in range(_DIRECTIONS):
        direction = generator.normal(size=3)
        direction /= np.linalg.norm(direction)
        matrix = wp.mat44(*light_view(direction, _CENTRE, _RADIUS, _SIDE).ravel())
        depth, _ = rasteriser.depth_buffers(_project(vertices, matrix), *buffers, _SIDE)
        place = _project(lifted, matrix).numpy()
        columns = np.clip(place[:, 0].astype(int), 0, _SIDE - 1)
        rows = np.clip(place[:, 1].astype(int), 0, _SIDE - 1)
        cosine = np.maximum((normals * direction).sum(1), 0)
        seen += cosine * (depth.numpy()[rows, columns] > place[:, 2] - 0.012)
        total += cosine
    return np.clip(1.15 * seen / np.maximum(total, 1e-6), 0.28, 1).astype(np.float32)


def _project(vertices: rasteriser.WarpArray, matrix: wp.mat44) -> rasteriser.WarpArray:
    screen = rasteriser.empty_vectors(len(vertices))
    wp.launch(kernels.project_parallel, dim=len(vertices), inputs=[vertices, matrix, screen], device=rasteriser.DEVICE)
    return screen
