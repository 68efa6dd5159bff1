import numpy as np
import pytest

from openfer.faces.mirror import MIRROR, mirror_points
from openfer.faces.template import template_points
from openfer.seeds import generator_for
from openfer_faces.landmarks import augment as augmentation
from openfer_faces.landmarks.augment import KnownFace, align, augment
from openfer_faces.landmarks.settings import AugmentSettings
from openfer_faces.landmarks.textures import covered, random_shape, random_texture

STILL = AugmentSettings(
    detector_noise=0, roll_std=0, zoom_std=0, shift_std=0, occluded_share=0, background_share=0, grey_share=0
)


def spotted(size: int = 96) -> KnownFace:
    """A picture on which point 36 is red, 45 green, 8 blue; the others are not drawn."""
    image = np.full((size, size, 3), 30, np.uint8)
    points = np.full((68, 2), size / 2)
    for number, place, colour in (
        (36, (30, 34), (255, 0, 0)),
        (45, (66, 34), (0, 255, 0)),
        (8, (48, 86), (0, 0, 255)),
    ):
        points[number] = place
        image[place[1] - 3 : place[1] + 3, place[0] - 3 : place[0] + 3] = colour
    return KnownFace(image, template_points(size), points, np.ones(68, bool))


def brightest(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Return the centre of what shows a colour most, (x, y)."""
    share = image.astype(float) @ np.where(np.array(colour) > 0, 1, -1)
    rows, columns = np.nonzero(share > 0.7 * share.max())
    return np.array([columns.mean(), rows.mean()]) + 0.5


def test_mirrored_names_are_mirrored_twice_to_themselves_and_pair_the_sides() -> None:
    assert np.array_equal(MIRROR[MIRROR], np.arange(68))
    assert MIRROR[[0, 8, 17, 27, 36, 39, 41, 48, 51, 60, 67]].tolist() == [16, 8, 26, 27, 45, 42, 46, 54, 51, 64, 65]


def test_mirrored_names_agree_with_the_heads_own_symmetry() -> None:
    from openfer_faces.synthetic.landmarks import _MIRRORED

    assert all(MIRROR[left] == right for left, right in _MIRRORED)


def test_mirroring_a_face_moves_each_point_to_its_partners_place() -> None:
    face = spotted()
    image, points = face.image[:, ::-1], mirror_points(face.points68, 96)
    assert points[45] == pytest.approx(brightest(image, (255, 0, 0)), abs=0.5)
    assert points[36] == pytest.approx(brightest(image, (0, 255, 0)), abs=0.5)


@pytest.mark.parametrize("degrees", [0, 25, -40])
def test_points_stay_on_what_they_show_when_a_face_is_turned_and_magnified(degrees: float) -> None:
    angle = np.radians(degrees)
    linear = 0.9 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.full(2, 64.0)
    turned = align(spotted(), 128, np.column_stack([linear, centre - linear @ centre + (3, -2)]))
    for number, colour in ((36, (255, 0, 0)), (45, (0, 255, 0)), (8, (0, 0, 255))):
        assert turned.points68[number] == pytest.approx(brightest(turned.image, colour), abs=1.0)


def test_points_stay_on_what_they_show_wherever_training_moves_a_face(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmentation, "_photograph", lambda image, *_: image)
    moving = STILL.model_copy(update={"detector_noise": 0.02, "roll_std": 15.0, "zoom_std": 0.1, "shift_std": 0.03})
    flipped = 0
    for number in range(12):
        face = augment(spotted(), spotted().image, 128, moving, generator_for(0, number))
        left, right = brightest(face.image, (255, 0, 0)), brightest(face.image, (0, 255, 0))
        flipped += left[0] > right[0]
        first, second = (left, right) if left[0] < right[0] else (right, left)
        assert face.points68[36] == pytest.approx(first, abs=2.5)
        assert face.points68[45] == pytest.approx(second, abs=2.5)
    assert 0 < flipped < 12


def test_a_point_that_leaves_the_crop_is_not_visible() -> None:
    shifted = align(spotted(), 96, np.array([[1.0, 0, 0], [0, 1.0, 20]]))
    assert shifted.points68[8, 1] > 96
    assert not shifted.visible68[8]
    assert shifted.visible68[36]


def test_a_shape_covers_exactly_the_points_under_it() -> None:
    shape = np.zeros((10, 10), bool)
    shape[2:4, 5:8] = True
    points = np.array([(5.0, 2.0), (7.99, 3.99), (8.0, 3.0), (4.99, 2.5), (6.0, 4.0), (-1.0, 3.0), (6.0, 30.0)])
    assert covered(points, shape).tolist() == [True, True, False, False, False, False, False]


def test_what_is_pasted_hides_exactly_the_points_under_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = np.zeros((96, 96), bool)
    shape[:48, :48] = True
    monkeypatch.setattr(augmentation, "random_shape", lambda *_: shape)
    face, pasting = spotted(), STILL.model_copy(update={"occluded_share": 1.0})
    for number in range(4):
        varied = augment(face, face.image, 96, pasting, generator_for(1, number))
        assert np.array_equal(varied.visible68, ~covered(varied.points68, shape))
        assert 0 < varied.visible68.sum() < 68


def test_textures_and_shapes_are_drawn_by_their_generator_alone() -> None:
    other = spotted().image
    for number in range(20):
        first, second = (generator_for(2, number) for _ in range(2))
        texture = random_texture(48, other, first)
        assert texture.shape == (48, 48, 3)
        assert texture.dtype == np.uint8
        assert np.array_equal(texture, random_texture(48, other, second))
        assert np.array_equal(random_shape(48, first), random_shape(48, second))


def test_a_rendered_face_is_varied_the_same_way_by_the_same_name(known) -> None:
    first, second, third = (
        augment(known[0], known[1].image, 64, AugmentSettings(), generator_for(0, number)) for number in (5, 5, 6)
    )
    assert np.array_equal(first.image, second.image)
    assert not np.array_equal(first.image, third.image)
