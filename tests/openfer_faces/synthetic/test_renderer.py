import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from openfer.labels import ILLUMINATIONS
from openfer_faces.synthetic.people.person import make_person
from openfer_faces.synthetic.renderer.renderer import Rendering
from openfer_faces.synthetic.scene.draws import laboratory_scene
from openfer_faces.synthetic.template import Template

Draw = Callable[..., Rendering]

MOUTH, EYES, BROWS = slice(48, 68), slice(36, 48), slice(17, 27)


def light(name: str) -> dict[str, object]:
    scene = laboratory_scene("yaw+0", name)
    return {key: value for key, value in scene.items() if key.startswith("light_")}


def brightness(rendering: Rendering, side: str = "both") -> float:
    """Mean value of the face, or of one half of the image."""
    face = rendering.image[16:48, 16:48].astype(float)
    halves = {"left": face[:, :16], "right": face[:, 16:], "both": face}
    return float(halves[side].mean())


def test_the_same_scene_gives_the_same_bytes(draw: Draw) -> None:
    first, second = draw(occluder="mask"), draw(occluder="mask")
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.points68, second.points68)


def test_another_image_seed_gives_another_image(draw: Draw) -> None:
    assert not np.array_equal(draw(seed=6).image, draw(seed=7).image)


def test_an_image_is_rgb_bytes_with_landmarks_inside(draw: Draw) -> None:
    rendering = draw()
    assert rendering.image.shape == (64, 64, 3)
    assert rendering.image.dtype == np.uint8
    assert rendering.points68.shape == (68, 2)
    assert 0 < rendering.points68.min() < rendering.points68.max() < 64


def test_five_points_are_eyes_nose_and_mouth_corners_from_left_to_right(draw: Draw) -> None:
    right_eye, left_eye, nose, right_corner, left_corner = draw().points5
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_corner[0] < nose[0] < left_corner[0]
    assert right_eye[1] < nose[1] < right_corner[1]


def test_positive_yaw_turns_the_nose_to_the_left_of_the_image(draw: Draw) -> None:
    def nose_offset(yaw: float) -> float:
        points = draw(yaw=yaw).points5
        return float(points[2, 0] - points[:2, 0].mean())

    assert nose_offset(45) < -3
    assert nose_offset(-45) > 3
    assert abs(nose_offset(0)) < 1


def test_positive_roll_turns_the_eyes_against_the_level(draw: Draw) -> None:
    right_eye, left_eye = draw(roll=20.0).points5[:2]
    slope = np.degrees(np.arctan2(left_eye[1] - right_eye[1], left_eye[0] - right_eye[0]))
    assert abs(abs(slope) - 20) < 4


def test_zoom_and_shift_move_the_landmarks(draw: Draw) -> None:
    plain, near, moved = draw(), draw(zoom=1.2), draw(shift_x=0.1)
    width = np.ptp(plain.points68[:, 0])
    assert np.ptp(near.points68[:, 0]) == pytest.approx(1.2 * width, rel=0.01)
    assert np.allclose(moved.points68[:, 0] - plain.points68[:, 0], 6.4, atol=0.01)


def test_a_frontal_face_shows_nearly_all_points(draw: Draw) -> None:
    assert draw().visible68.sum() >= 66


def test_a_turned_face_hides_the_far_side(draw: Draw) -> None:
    seen_from_left, seen_from_right = draw(yaw=75.0).visible68, draw(yaw=-75.0).visible68
    assert seen_from_left[42:46].all()
    assert not seen_from_left[[0, 1, 2, 3, 36]].any()
    assert seen_from_right[36:40].sum() > seen_from_right[42:46].sum()


def test_a_mask_hides_the_mouth_and_leaves_eyes_and_brows(draw: Draw) -> None:
    visible = draw(occluder="mask").visible68
    assert not visible[MOUTH].any()
    assert visible[EYES].all()
    assert visible[BROWS].all()


def test_sunglasses_hide_the_eyes_and_leave_the_mouth(draw: Draw) -> None:
    visible = draw(occluder="sunglasses").visible68
    assert not visible[EYES].any()
    assert visible[MOUTH].all()


@pytest.mark.parametrize("occluder", ["hand", "hair"])
def test_hand_and_hair_hide_something(draw: Draw, occluder: str) -> None:
    assert all(draw(occluder=occluder, seed=seed).visible68.sum() < 66 for seed in (1, 2, 3))


def test_surprise_opens_the_mouth_in_the_image(draw: Draw) -> None:
    neutral, surprised = draw().points68, draw(expression="surprise").points68
    assert surprised[66, 1] - surprised[62, 1] > neutral[66, 1] - neutral[62, 1] + 1


def test_a_flash_from_the_side_is_darker_than_room_light_and_lights_its_side(draw: Draw) -> None:
    room, from_right, from_left = (
        draw(**light(name)) for name in (ILLUMINATIONS[0], ILLUMINATIONS[1], ILLUMINATIONS[13])
    )
    assert brightness(from_right) < 0.8 * brightness(room)
    assert brightness(from_right, "left") > 1.15 * brightness(from_right, "right")
    assert brightness(from_left, "right") > 1.15 * brightness(from_left, "left")


def test_very_dark_skin_under_a_side_light_is_still_exposed(template: Template, draw: Draw) -> None:
    person = make_person(template, 21, "male", "20-39", "african")
    dark = dataclasses.replace(person, texture=person.texture * np.array([0.6, 0.6, 0.6, 1], np.float32))
    rendering = draw(dark, **light(ILLUMINATIONS[1]))
    assert rendering.image[20:44, 20:32].mean() > 45


@pytest.mark.parametrize("side", [48, 80, 104, 120, 144])
def test_faces_of_any_size_have_wrinkle_maps_of_half_their_texture(side: int) -> None:
    template = Template(side)
    rows, columns = template.wrinkles.maps.shape[1:3]
    assert (2 * rows, 2 * columns) == (template.space.height, template.space.width)
