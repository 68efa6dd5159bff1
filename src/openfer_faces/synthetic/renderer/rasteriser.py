"""The rasteriser: NumPy arrays in, Warp kernels on the CPU, buffers out.

Warp launches CPU kernels one after the other on the calling thread, so that the same input gives
the same bytes.
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import warp as wp

from openfer_faces.synthetic.cache import cache_folder, users_cache
from openfer_faces.synthetic.renderer import kernels

DEVICE = "cpu"

WarpArray = Any
"""Warp's arrays carry no static types."""


def _start_quietly() -> None:
    """Start Warp; its library greets on the standard error stream when there is no GPU, which is fine here."""
    wp.config.log_level = wp.LOG_ERROR
    if users_cache() is None and "WARP_CACHE_PATH" not in os.environ:  # Warp keeps its compiled kernels there
        wp.config.kernel_cache_dir = str(cache_folder() / "warp")
    sys.stderr.flush()
    stream = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            wp.init()
        finally:
            os.dup2(stream, 2)
            os.close(stream)


_start_quietly()


def vectors(array: np.ndarray) -> WarpArray:
    """Return a Warp array of 3-vectors, from shape (N, 3)."""
    return wp.array(np.ascontiguousarray(array, np.float32), dtype=wp.vec3, device=DEVICE)


def coordinates(array: np.ndarray) -> WarpArray:
    """Return a Warp array of 2-vectors, from shape (N, 3, 2)."""
    return wp.array(np.ascontiguousarray(array, np.float32), dtype=wp.vec2, device=DEVICE)


def floats(array: np.ndarray) -> WarpArray:
    """Return a Warp array of floats of the same shape."""
    return wp.array(np.ascontiguousarray(array, np.float32), dtype=float, device=DEVICE)


def integers(array: np.ndarray) -> WarpArray:
    """Return a Warp array of 32-bit integers of the same shape."""
    return wp.array(np.ascontiguousarray(array, np.int32), dtype=int, device=DEVICE)


def empty_vectors(count: int) -> WarpArray:
    """Return an uninitialised Warp array of ``count`` 3-vectors."""
    return wp.empty(count, dtype=wp.vec3, device=DEVICE)


def vertex_normals(vertices: WarpArray, triangles: WarpArray) -> WarpArray:
    """Return unit normals of vertices, as 3-vectors."""
    normals = wp.zeros(len(vertices), dtype=wp.vec3, device=DEVICE)
    wp.launch(kernels.add_face_normals, dim=len(triangles), inputs=[vertices, triangles, normals], device=DEVICE)
    wp.launch(kernels.normalise, dim=len(normals), inputs=[normals], device=DEVICE)
    return normals


def normals_of(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return unit normals of vertices (V, 3), as (V, 3) float32."""
    return vertex_normals(vectors(vertices), integers(triangles)).numpy()


def depth_buffers(
    screen: WarpArray,
    triangles: WarpArray,
    materials: WarpArray,
    corners: WarpArray,
    mask_alpha: WarpArray,
    side: int,
) -> tuple[WarpArray, WarpArray]:
    """Rasterise triangles into a square buffer.

    Args:
        screen: vertices as pixel x, pixel y, depth.
        triangles: vertex indices, (T, 3).
        materials: one material per triangle, (T,).
        corners: texture coordinates, (T, 3).
        mask_alpha: opacity of the face mask over the texture, (H, W, 1).
        side: pixels across.

    Returns:
        Depth, 1e9 where empty, and the triangle number, -1 where empty; both (side, side).
    """
    depth = wp.empty((side, side), dtype=float, device=DEVICE)
    owner = wp.empty((side, side), dtype=int, device=DEVICE)
    wp.launch(kernels.clear, dim=(side, side), inputs=[depth, owner], device=DEVICE)
    inputs = [screen, triangles, materials, corners, mask_alpha, depth, owner]
    wp.launch(kernels.rasterise, dim=len(triangles), inputs=inputs, device=DEVICE)
    return depth, owner
