"""The canonical face, and the rigid fit that takes position, size and rotation out of a mesh."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from openfer.faces.mediapipe.canonical import CanonicalFace
from openfer.seeds import generator_for

LEFT_EYE_CORNER, RIGHT_EYE_CORNER, NOSE_TIP, CHIN = 263, 33, 1, 152


def seen(face: np.ndarray, yaw: float, pitch: float, roll: float) -> np.ndarray:
    """A face as a camera sees it: about its own axis, then about the image's horizontal one, then in the image."""
    turns = [("y", yaw), ("x", pitch), ("z", roll)]
    rotation = np.eye(3)
    for axis, degrees in turns:
        rotation = Rotation.from_euler(axis, degrees, degrees=True).as_matrix() @ rotation
    return face @ rotation.T


@pytest.fixture
def mesh(canonical) -> np.ndarray:
    """A face with 478 points that is not the canonical one."""
    points = np.concatenate([canonical.points, canonical.points[:10]])
    return points + generator_for(0, "shape").normal(0, 0.1, points.shape)


def test_its_axes_are_those_of_an_image(canonical: CanonicalFace) -> None:
    assert canonical.points.shape == (468, 3)
    assert canonical.points[LEFT_EYE_CORNER, 0] > 0 > canonical.points[RIGHT_EYE_CORNER, 0]
    assert canonical.points[CHIN, 1] > canonical.points[NOSE_TIP, 1] > canonical.points[RIGHT_EYE_CORNER, 1]
    assert canonical.points[NOSE_TIP, 2] < canonical.points[CHIN, 2]
    assert (canonical.weights > 0).sum() == 33


@pytest.mark.parametrize("angles", [(0, 0, 0), (40, 0, 0), (0, -20, 0), (0, 0, 25), (-35, 15, 10)])
def test_the_pose_of_a_turned_canonical_face_is_found(canonical: CanonicalFace, angles) -> None:
    points = np.concatenate([canonical.points, canonical.points[:10]])
    normalised, pose = canonical.normalise(seen(points, *angles) * 7 + (30, 40, -5))
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx(angles)
    assert np.allclose(normalised, points)


def test_nose_and_chin_tell_the_signs_of_the_pose(canonical: CanonicalFace) -> None:
    assert seen(canonical.points, 30, 0, 0)[NOSE_TIP, 0] < 0  # the camera is at the person's left
    assert seen(canonical.points, 0, 30, 0)[NOSE_TIP, 1] > canonical.points[NOSE_TIP, 1]  # it is above
    assert seen(canonical.points, 0, 0, 30)[CHIN, 0] < 0  # clockwise in the image


def test_position_size_and_rotation_leave_no_trace(canonical: CanonicalFace, mesh: np.ndarray) -> None:
    still, _ = canonical.normalise(mesh)
    moved, _ = canonical.normalise(seen(mesh, 25, -10, 15) * 3.3 + (100, 50, 7))
    assert np.allclose(moved, still)
    assert np.abs(still[:468] - canonical.points).mean() > 0.05  # the shape of the face remains


def test_the_fit_is_the_weighted_least_squares_one(canonical: CanonicalFace, mesh: np.ndarray) -> None:
    draw = generator_for(0, "others")
    normalised, _ = canonical.normalise(mesh)

    def error(points: np.ndarray) -> float:
        return float(canonical.weights @ np.square(points[:468] - canonical.points).sum(axis=1))

    for _ in range(100):
        other = seen(normalised, *draw.normal(0, 1, 3)) * draw.normal(1, 0.01) + draw.normal(0, 0.02, 3)
        assert error(other) > error(normalised)
