import numpy as np

from openfer.faces.mediapipe.points68 import Mediapipe68
from openfer.io.checkpoint import Checkpoint
from openfer_faces.landmarks.augment import align
from openfer_faces.landmarks.choose import landmarker
from openfer_faces.landmarks.contract import GROUPS
from openfer_faces.landmarks.figures import faces_with_points
from openfer_faces.landmarks.known import KnownFaces
from openfer_faces.landmarks.settings import LandmarkerChoice


def test_points_of_rendered_faces_are_near_the_truth_in_every_part_of_the_face(known: KnownFaces) -> None:
    faces = [align(known[number], 128) for number in range(0, 56, 7)]
    points, _ = Mediapipe68().find([face.image for face in faces])
    truth = np.stack([face.points68 for face in faces])
    unit = np.median(np.linalg.norm(truth[:, 36] - truth[:, 45], axis=1))
    distance = np.median(np.linalg.norm(points - truth, axis=2), axis=0) / unit
    most = {"contour": 0.25, "brows": 0.15, "nose": 0.1, "eyes": 0.06, "mouth": 0.1}
    assert {name: distance[group].max() < most[name] for name, group in GROUPS.items()} == dict.fromkeys(GROUPS, True)


def test_points_are_in_the_pixels_of_a_crop_of_any_size(known: KnownFaces) -> None:
    small = align(known[0], 64).image
    large = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    points, _ = Mediapipe68().find([small, large])
    assert np.abs(points[1] - 2 * points[0]).max() < 2


def test_the_default_landmarker_needs_no_model_and_leaves_confidences_open(known: KnownFaces) -> None:
    choice = LandmarkerChoice()
    crops = [align(known[number], 64).image for number in (0, 7)]
    found = landmarker(choice, Checkpoint({}))(crops)
    assert choice.calibrated == ()
    assert found.points.shape == (2, 68, 2)
    assert not found.with_confidence
    sheet = np.asarray(faces_with_points(crops, found, columns=2))
    assert (sheet[..., 2].astype(int) > sheet[..., 0].astype(int) + 100).sum() > 68  # blue dots
