"""From an image to one aligned face, or the reason why there is none."""

import numpy as np
import pytest

from openfer.faces.alignment import Aligner, NoFaceError, meant_face
from openfer.faces.config import FacesConfig
from openfer.faces.detected import Detected
from openfer.faces.template import apply, five_of_68, invert, similarity, template_points, warp
from openfer.seeds import generator_for

SIZE = 96
TURN = np.array([[0.9, -0.4, 60.0], [0.4, 0.9, 20.0]])
"""From the template's frame to the image in which the face lies askew."""


@pytest.fixture(scope="module")
def face(tiny_faces) -> np.ndarray:
    return tiny_faces.store.image(0)


@pytest.fixture(scope="module")
def image(face) -> np.ndarray:
    """A rendered face, turned, in the middle of noise."""
    noise = generator_for(0, "noise").integers(0, 255, (160, 200, 3), dtype=np.uint8)
    upright = warp(face, np.array([[SIZE / 64, 0, 0], [0, SIZE / 64, 0]]), SIZE)
    rows, columns = np.indices(noise.shape[:2])
    back = apply(invert(TURN), np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], 1))
    inside = ((back > 1) & (back < SIZE - 1)).all(1).reshape(noise.shape[:2])
    place = np.clip(back.astype(int), 0, SIZE - 1)
    noise[inside] = upright[place[:, 1], place[:, 0]].reshape(*noise.shape)[inside]
    return noise


def points_in(image_from_template: np.ndarray) -> np.ndarray:
    return apply(image_from_template, template_points(SIZE))


def found(*places: tuple[float, float, float], scores: tuple[float, ...] = ()) -> Detected:
    """Faces at (x, y) with a width."""
    shape = template_points(1) - 0.5
    boxes = np.array([(x - w / 2, y - w / 2, x + w / 2, y + w / 2) for x, y, w in places]).reshape(-1, 4)
    points = np.array([shape * w + (x, y) for x, y, w in places]).reshape(-1, 5, 2)
    return Detected(boxes, points, np.array(scores or [0.99] * len(places)))


def config(**values: object) -> FacesConfig:
    return FacesConfig.model_validate({"size": SIZE, "align": "points"} | values)


def test_given_points_bring_the_face_upright(image: np.ndarray, face: np.ndarray) -> None:
    aligned = Aligner(config(), None, None)(image, points_in(TURN), None)
    upright = warp(face, np.array([[SIZE / 64, 0, 0], [0, SIZE / 64, 0]]), SIZE)
    middle = slice(16, 80)
    assert np.abs(aligned.crop[middle, middle].astype(int) - upright[middle, middle]).mean() < 8
    assert np.allclose(aligned.points5, template_points(SIZE))
    assert np.allclose(aligned.transform, invert(TURN))


def test_two_eyes_are_enough(image: np.ndarray) -> None:
    five = Aligner(config(), None, None)(image, points_in(TURN), None)
    two = Aligner(config(), None, None)(image, points_in(TURN)[:2], None)
    assert np.allclose(two.transform, five.transform)
    assert two.points5 is None


def test_68_points_are_reduced_to_five(image: np.ndarray) -> None:
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[30], points[48], points[54] = points_in(TURN)
    of_68 = Aligner(config(), None, None)(image, points, None)
    of_5 = Aligner(config(), None, None)(image, five_of_68(points), None)
    assert np.allclose(of_68.transform, of_5.transform)
    assert np.allclose(of_68.transform[:, :2], invert(TURN)[:, :2], atol=0.01)  # the eyes were a little too high


def test_a_box_becomes_a_square_with_its_margin(image: np.ndarray) -> None:
    aligned = Aligner(config(align="box", margin=0.25), None, None)(image, None, np.array([50.0, 40, 40, 60]))
    corners = apply(invert(aligned.transform), np.array([(0.0, 0), (SIZE, SIZE)]))
    assert np.allclose(corners, [(25, 25), (115, 115)])  # 60 wide, a quarter more on each side


def test_a_whole_image_gives_its_central_square(image: np.ndarray) -> None:
    aligned = Aligner(config(align="whole"), None, None)(image, None, None)
    assert np.allclose(apply(invert(aligned.transform), np.array([(0.0, 0), (SIZE, SIZE)])), [(20, 0), (180, 160)])
    assert aligned.points5 is None


def test_without_a_box_it_is_drawn_around_68_points(image: np.ndarray) -> None:
    corners = np.array([[50.0, 40], [90, 100]])
    points = np.concatenate([corners, np.full((66, 2), 70.0)])
    aligner = Aligner(config(align="box", margin=0.25), None, None)
    around, given = aligner(image, points, None), aligner(image, None, np.array([50.0, 40, 40, 60]))
    assert (around.transform == given.transform).all()
    with pytest.raises(NoFaceError, match="no 68 points to draw one around"):
        aligner(image, points[:5], None)


@pytest.mark.parametrize(
    ("settings", "landmarks", "box", "words"),
    [
        ({}, None, None, "gives no points"),
        ({}, np.full((5, 2), 7.0), None, "points coincide"),
        ({}, template_points(SIZE) + 900, None, "outside 200x160"),
        ({}, template_points(6) + 50, None, "about 6 pixels, fewer than 16"),
        ({"align": "box"}, None, None, "gives no box"),
        ({"align": "box"}, None, np.array([10.0, 10, 5, 50]), "box has 5x50 pixels"),
        ({"align": "box"}, None, np.array([900.0, 10, 50, 50]), "outside"),
        ({"align": "whole", "smallest_side": 161}, None, None, "200x160 pixels, fewer than 161"),
    ],
)
def test_what_cannot_be_aligned_has_a_reason(image, settings, landmarks, box, words) -> None:
    with pytest.raises(NoFaceError, match=words):
        Aligner(config(**settings), None, None)(image, landmarks, box)


def test_a_detection_below_the_score_is_no_face(image: np.ndarray) -> None:
    aligner = Aligner(config(align="detect"), lambda _: found((80, 80, 60), scores=(0.7,)), None)
    with pytest.raises(NoFaceError, match=r"no face found \(best score 0\.70\)"):
        aligner(image, None, None)
    with pytest.raises(NoFaceError, match=r"no face found$"):
        Aligner(config(align="detect"), lambda _: found(), None)(image, None, None)


@pytest.mark.parametrize(
    ("meant", "landmarks", "box", "which"),
    [
        ("largest", None, None, 1),
        ("central", None, None, 0),
        ("surest", None, None, 2),
        ("given", None, np.array([140.0, 100, 40, 40]), 2),
        ("given", template_points(30) + np.array((145, 105)), None, 2),
        ("given", template_points(30)[:2] + np.array((145, 105)), None, 2),
        ("given", None, None, 1),
    ],
)
def test_the_face_that_is_meant(meant: str, landmarks, box, which: int) -> None:
    several = found((100, 80, 40), (40, 40, 60), (160, 120, 30), scores=(0.95, 0.96, 0.99))
    assert meant_face(several, (160, 200, 3), config(align="detect", meant=meant), landmarks, box) == which


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_in_a_turned_image_is_found_and_put_upright(quarters: int, face: np.ndarray) -> None:
    upright = np.full((120, 180, 3), 90, np.uint8)
    upright[30:94, 70:134] = face
    lying = np.ascontiguousarray(np.rot90(upright, quarters))
    seen: list[tuple[int, ...]] = []

    def finder(image: np.ndarray) -> Detected:
        seen.append(image.shape)
        return found((102, 62, 64)) if np.array_equal(image, upright) else found()

    aligned = Aligner(config(align="detect", turned=True), finder, None)(lying, None, None)
    straight = Aligner(config(align="detect"), finder, None)(upright, None, None)
    assert len(seen) >= 3
    assert np.abs(aligned.crop.astype(int) - straight.crop).max() <= 1
    with pytest.raises(NoFaceError):
        Aligner(config(align="detect"), finder, None)(lying, None, None)


def test_refining_aligns_by_the_lids(image: np.ndarray) -> None:
    off = points_in(TURN) + np.array((3, -2))
    lids = np.zeros((68, 2))

    def find_68(crops: list[np.ndarray]) -> np.ndarray:
        first = similarity(off, template_points(SIZE))
        true = apply(first, points_in(TURN))
        lids[36:42], lids[42:48], lids[30], lids[48], lids[54] = true
        return lids[None]

    refined = Aligner(config(refine="dlib68"), None, find_68)(image, off, None)
    given = np.zeros((68, 2))
    given[36:42], given[42:48], given[30], given[48], given[54] = points_in(TURN)
    assert np.allclose(refined.transform, Aligner(config(), None, None)(image, given, None).transform)


def test_refining_needs_an_upright_crop() -> None:
    with pytest.raises(ValueError, match="68 points are found on an upright crop"):
        config(align="whole", refine="dlib68")
