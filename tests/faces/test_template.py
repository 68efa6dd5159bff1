"""The canonical face and the similarity that brings points there."""

import numpy as np
import pytest
from PIL import Image

from openfer.faces.template import apply, five_of_68, invert, similarity, template_points, warp
from openfer.seeds import generator_for


def turned(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * points @ turn.T + shift


@pytest.mark.parametrize("degrees", [0, 30, -75, 180])
def test_a_known_similarity_is_found(degrees: float) -> None:
    target = template_points(256)
    source = turned(target, degrees, 1.7, (40, -12))
    assert np.allclose(apply(similarity(source, target), source), target)


def test_it_is_the_least_squares_fit() -> None:
    generator = generator_for(0, "fit")
    source, target = generator.normal(size=(2, 5, 2))
    best = similarity(source, target)
    error = np.square(apply(best, source) - target).sum()
    for _ in range(200):
        a, b = best[0, 0] + generator.normal(0, 0.1), best[1, 0] + generator.normal(0, 0.1)
        other = np.column_stack([[a, b], [-b, a], best[:, 2] + generator.normal(0, 0.1, 2)])
        assert np.square(apply(other, source) - target).sum() >= error


def test_a_heavy_point_comes_nearer() -> None:
    generator = generator_for(0, "heavy")
    source, target = generator.normal(size=(2, 5, 2))
    plain, heavy = (similarity(source, target, weights) for weights in (None, np.array([9.0, 1, 1, 1, 1])))
    repeated = similarity(
        np.concatenate([source, np.repeat(source[:1], 8, 0)]), np.concatenate([target, np.repeat(target[:1], 8, 0)])
    )
    assert np.allclose(heavy, repeated)
    assert np.linalg.norm(apply(heavy, source)[0] - target[0]) < np.linalg.norm(apply(plain, source)[0] - target[0])


def test_a_face_is_never_mirrored() -> None:
    target = template_points(256)
    mirrored = similarity(target * (-1, 1), target)
    assert np.linalg.det(mirrored[:, :2]) > 0


def test_points_that_coincide_have_no_similarity() -> None:
    with pytest.raises(ValueError, match="coincide"):
        similarity(np.ones((5, 2)), template_points(256))


def test_a_warp_brings_a_mark_to_its_place() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    image[80:84, 150:154] = 255  # its centre is (152, 82)
    transform = similarity(np.array([(152.0, 82), (172, 82)]), np.array([(40.0, 60), (60, 60)]))
    crop = warp(image, transform, 100)[..., 0].astype(float)
    y, x = (np.average(np.arange(100) + 0.5, weights=crop.sum(axis)) for axis in (1, 0))
    assert (x, y) == pytest.approx((40, 60), abs=0.05)


@pytest.mark.parametrize("centre", [(30, 20), (200, 150), (396, 299), (700, -200)])
@pytest.mark.parametrize("scale", [1.7, 0.6, 0.11])
def test_a_crop_is_cut_from_the_part_of_the_image_that_it_needs_as_from_the_whole(
    centre: tuple[int, int], scale: float
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    turn = scale * np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    transform = np.column_stack([turn, np.array([32.0, 32.0]) - turn @ centre])
    factor = {1.7: 1, 0.6: 1, 0.11: 4}[scale]
    whole = Image.fromarray(image).reduce(factor)
    back = tuple(float(number) for number in (invert(transform) / factor).ravel())
    expected = whole.transform((64, 64), Image.Transform.AFFINE, back, Image.Resampling.BICUBIC)
    assert np.array_equal(warp(image, transform, 64), np.asarray(expected))


def test_a_strong_reduction_skips_no_pixel() -> None:
    fine = np.zeros((1024, 1024, 3), np.uint8)
    fine[::2] = 255  # lines of one pixel: grey from afar
    crop = warp(fine, np.array([[1 / 16, 0, 0], [0, 1 / 16, 0]]), 64)
    assert np.abs(crop.astype(int) - 127).max() <= 2


def test_a_reduced_mark_keeps_its_place() -> None:
    image = np.zeros((800, 800, 3), np.uint8)
    image[320:336, 480:496] = 255  # centre (488, 328)
    crop = warp(image, np.array([[1 / 8, 0, 0], [0, 1 / 8, 0]]), 100)[..., 0].astype(float)
    y, x = (np.average(np.arange(100) + 0.5, weights=crop.sum(axis)) for axis in (1, 0))
    assert (x, y) == pytest.approx((61, 41), abs=0.05)


def test_inverse_undoes() -> None:
    transform = similarity(template_points(256), template_points(100, "tight"))
    points = template_points(64)
    assert np.allclose(apply(invert(transform), apply(transform, points)), points)


def test_five_points_of_68_are_eyes_nose_tip_and_mouth_corners() -> None:
    points = generator_for(0, "points").normal(size=(68, 2))
    points[36:42] += (-100, 0) - points[36:42].mean(axis=0)
    points[42:48] += (100, 0) - points[42:48].mean(axis=0)
    five = five_of_68(points)
    assert np.allclose(five[:2], [(-100, -4.7), (100, -4.7)])  # above the lids' means, by 2.35 % of 200
    assert (five[2:] == points[[30, 48, 54]]).all()


def test_eyes_are_lifted_along_the_face_and_not_along_the_image() -> None:
    points = generator_for(0, "points").normal(size=(68, 2)) + np.array((50, 20))
    upside_down = turned(points, 180, 1.0, (0, 0))
    assert np.allclose(five_of_68(upside_down), turned(five_of_68(points), 180, 1.0, (0, 0)))


def test_frames_differ_in_what_is_around_and_not_in_shape() -> None:
    face, tight = template_points(256), template_points(256, "tight")
    assert np.allclose(apply(similarity(face, tight), face), tight)
    assert face[3, 1] < 0.7 * 256 < tight[3, 1]
