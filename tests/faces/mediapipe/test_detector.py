"""Faces are found at any place and size, and nothing is found where there is none."""

import numpy as np
import pytest
from PIL import Image

from openfer.faces.detected import Detected
from openfer.faces.mediapipe.detector import MediapipeDetector
from openfer.seeds import generator_for
from tests.faces.mediapipe.conftest import BORDER


def scene(face: np.ndarray, side: int, place: tuple[int, int], width: int = 900, height: int = 700) -> np.ndarray:
    """A face of a side at a place, on a grey ground."""
    ground = Image.new("RGB", (width, height), (110, 120, 130))
    ground.paste(Image.fromarray(face).resize((side, side), Image.Resampling.LANCZOS), place)
    return np.asarray(ground)


def centres(found: Detected) -> np.ndarray:
    return (found.boxes[:, :2] + found.boxes[:, 2:]) / 2


@pytest.fixture(scope="module")
def face(pictures) -> np.ndarray:
    return pictures[0][BORDER:-BORDER, BORDER:-BORDER]


@pytest.mark.parametrize("shape", [(1, 1, 3), (16, 16, 3), (300, 40, 3), (500, 700, 3)])
def test_a_black_image_has_no_face(detector: MediapipeDetector, shape: tuple[int, int, int]) -> None:
    found = detector(np.zeros(shape, np.uint8))
    assert (found.boxes.shape, found.points.shape, found.scores.shape) == ((0, 4), (0, 5, 2), (0,))


def test_fine_noise_has_no_face(detector: MediapipeDetector) -> None:
    assert not len(detector(generator_for(0, "noise").integers(0, 255, (300, 400, 3), dtype=np.uint8)))


def test_nearly_every_rendered_face_is_found_at_its_points(detector, pictures, fives) -> None:
    found = [detector(picture) for picture in pictures]
    assert sum(len(faces) == 1 for faces in found) >= len(pictures) - 1
    across = np.linalg.norm(fives[:, 1] - fives[:, 0], axis=1)
    off = [
        np.linalg.norm(faces.points[0] - five, axis=1) / distance
        for faces, five, distance in zip(found, fives, across, strict=True)
        if len(faces)
    ]
    assert np.median(off, axis=0)[[0, 1]].max() < 0.05  # eyes, shares of the distance between them
    assert np.median(off, axis=0).max() < 0.12


@pytest.mark.parametrize("side", [600, 250, 120, 60])
def test_a_face_is_found_at_any_size(detector: MediapipeDetector, face: np.ndarray, side: int) -> None:
    found = detector(scene(face, side, (200, 60)))
    assert len(found) == 1
    assert found.scores[0] > 0.9
    assert np.abs(centres(found)[0] - (200 + side / 2, 60 + side / 2)).max() < 0.15 * side


def test_a_face_that_fills_a_small_image_is_found(detector: MediapipeDetector, tiny_faces) -> None:
    crops = [tiny_faces.store.image(row)[8:56, 8:56] for row in range(0, 56, 4)]
    assert sum(bool(len(detector(crop))) for crop in crops) >= len(crops) - 1


def test_two_faces_are_two(detector: MediapipeDetector, pictures, face) -> None:
    both = scene(face, 300, (60, 200)).copy()
    other = Image.fromarray(pictures[-7][BORDER:-BORDER, BORDER:-BORDER]).resize((300, 300))
    both[100:400, 500:800] = np.asarray(other)
    found = detector(both)
    assert np.allclose(sorted(centres(found)[:, 0]), [210, 650], atol=45)


def test_smaller_faces_beside_a_sure_one_are_looked_for_down_to_the_share(face: np.ndarray) -> None:
    both = scene(face, 500, (380, 100)).copy()
    both[20:120, 20:120] = np.asarray(Image.fromarray(face).resize((100, 100), Image.Resampling.LANCZOS))
    few, all_of_them = (MediapipeDetector(share, 0.9) for share in (0.3, 0.1))
    assert len(few(both)) == 1
    assert len(all_of_them(both)) == 2


@pytest.mark.parametrize("quarters", [0, 1, 3])
def test_points_of_a_turned_image_follow_the_face(detector, pictures, fives, quarters: int) -> None:
    turned = detector(np.ascontiguousarray(np.rot90(pictures[0], quarters)))
    assert len(turned) == 1
    back = turned.turned_back(quarters, pictures[0].shape)
    across = np.linalg.norm(fives[0, 1] - fives[0, 0])
    assert np.linalg.norm(back.points[0] - fives[0], axis=1).max() < 0.25 * across


def test_the_same_image_gives_the_same_bits(detector: MediapipeDetector, pictures) -> None:
    again = MediapipeDetector(0.3, 0.9)(pictures[1])
    first = detector(pictures[1])
    assert (first.points == again.points).all()
    assert first.scores.tolist() == again.scores.tolist()
