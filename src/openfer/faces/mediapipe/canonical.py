"""The canonical face: the rigid fit that takes position, size and rotation out of a mesh, and the head pose."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

_VERTICES = 468
"""The canonical face has no irises."""

_MESH, _WEIGHTED, _VERTEX, _NUMBER, _WEIGHT = 1, 2, 3, 1, 2
"""Fields of MediaPipe's ``GeometryPipelineMetadata``, ``Mesh3d`` and ``WeightedLandmarkRef``."""

_IMAGE_AXES = np.array([1, -1, -1])
"""From the file's axes (x to the image's right, y up, z to the camera) to those of a mesh."""


@dataclass(frozen=True)
class Pose:
    """Where the camera stands, seen from the face, in degrees; the renderer's scenes have the same signs.

    Attributes:
        yaw: to the person's left; a positive one turns the nose to the image's left.
        pitch: upwards; a positive one turns the nose down.
        roll: of the face in the image, clockwise.
    """

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True)
class CanonicalFace:
    """The mean face of the landmarker's makers.

    Attributes:
        points: centimetres; x to the image's right, y down, z away from the camera; the origin is inside the head,
            (468, 3).
        weights: how much each point counts in a fit, (468,). 33 points count, which expressions move little.
    """

    points: np.ndarray
    weights: np.ndarray

    def normalise(self, mesh: np.ndarray) -> tuple[np.ndarray, Pose]:
        """Take position, size and rotation out of a mesh.

        The rule: the similarity (rotation, one scale, shift) that brings the mesh nearest to the canonical face, by
        weighted least squares over the points of :attr:`weights` (Umeyama 1991). Expressions and the shape of the
        face remain.

        Args:
            mesh: points in image pixels with depth, (478, 3).

        Returns:
            The mesh in the canonical face's frame, centimetres, (478, 3); the pose that was taken out.
        """
        weights = self.weights / self.weights.sum()
        source = mesh[:_VERTICES]
        centre, goal = weights @ source, weights @ self.points
        rotation, scale = _turn(source - centre, self.points - goal, weights)
        return scale * (mesh - centre) @ rotation.T + goal, _pose(rotation.T)


def read_canonical(content: bytes) -> CanonicalFace:
    """Read the canonical face from the landmarker's file, a protocol buffer."""
    weights = np.zeros(_VERTICES)
    numbers: list[float] = []
    for field, value in _fields(content):
        if field == _MESH:
            numbers = [part for name, part in _fields(value) if name == _VERTEX]
        elif field == _WEIGHTED:
            pair = dict(_fields(value))
            weights[pair[_NUMBER]] = pair[_WEIGHT]
    vertices = np.array(numbers).reshape(_VERTICES, 5)  # x, y, z and two coordinates of a texture
    return CanonicalFace(vertices[:, :3] * _IMAGE_AXES, weights)


def _turn(source: np.ndarray, target: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Return rotation, (3, 3), and scale that bring centred points nearest to others, both (N, 3)."""
    left, stretch, right = np.linalg.svd((target * weights[:, None]).T @ source)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])  # a face is never mirrored
    spread = float(weights @ np.square(source).sum(axis=1))
    return (left * signs) @ right, float(stretch @ signs) / spread


def _pose(rotation: np.ndarray) -> Pose:
    """Return the angles of a rotation from the canonical face to the image: yaw, then pitch, then roll."""
    yaw = np.arctan2(-rotation[2, 0], rotation[2, 2])
    pitch = np.arcsin(np.clip(rotation[2, 1], -1, 1))
    roll = np.arctan2(-rotation[0, 1], rotation[1, 1])
    return Pose(*(float(np.degrees(angle)) for angle in (yaw, pitch, roll)))


def _fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field of a protocol buffer: integers, float32 and nested messages."""
    place = 0
    while place < len(content):
        key, place = _integer(content, place)
        field, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _integer(content, place)
            yield field, value
        elif kind == 2:
            length, place = _integer(content, place)
            yield field, content[place : place + length]
            place += length
        else:  # kind 5
            yield field, struct.unpack_from("<f", content, place)[0]
            place += 4


def _integer(content: bytes, place: int) -> tuple[int, int]:
    """Return a variable-length integer, and the place behind it."""
    value = shift = 0
    while True:
        byte = content[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
