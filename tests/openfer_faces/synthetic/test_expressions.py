import numpy as np
import pytest

from openfer.labels import EXPRESSIONS
from openfer.seeds import generator_for
from openfer_faces.synthetic.assets import ACTION_UNITS
from openfer_faces.synthetic.expressions import action_units, both_sides, mirrored
from openfer_faces.synthetic.landmarks import five_points
from openfer_faces.synthetic.template import Template
from openfer_faces.synthetic.wrinkles import fold_weights

SIGNATURES = {
    "happiness": ("mouthSmileLeft", "cheekSquintRight"),
    "sadness": ("browInnerUp", "mouthFrownLeft"),
    "surprise": ("browOuterUpLeft", "eyeWideRight", "jawOpen"),
    "fear": ("browInnerUp", "eyeWideLeft", "mouthStretchRight"),
    "disgust": ("noseSneerLeft", "mouthUpperUpRight"),
    "anger": ("browDownLeft", "browDownRight"),
}


def moved(template: Template, units: dict[str, float]) -> np.ndarray:
    """How far each of the 68 points moves, decimetres."""
    weights = {f"unit:{name}": weight for name, weight in units.items()}
    return template.head.displacement(weights)[template.landmarks]


@pytest.mark.parametrize(("expression", "names"), SIGNATURES.items())
def test_an_expression_is_made_of_its_known_action_units(expression: str, names: tuple[str, ...]) -> None:
    for number in range(5):
        units = action_units(expression, 1.0, generator_for(number))
        assert all(units[name] > 0.25 for name in names)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_action_unit_has_an_asset_and_a_weight_that_is_not_negative(expression: str) -> None:
    for number in range(8):
        units = action_units(expression, 1.1, generator_for(number))
        assert set(units) <= set(ACTION_UNITS)
        assert min(units.values()) >= 0


def test_intensity_scales_the_expression() -> None:
    weak, strong = (action_units("surprise", value, generator_for(1)) for value in (0.3, 1.0))
    assert weak["jawOpen"] < strong["jawOpen"]
    assert weak["eyeWideLeft"] < strong["eyeWideLeft"]


def test_contempt_is_one_sided() -> None:
    sides = set()
    for number in range(12):
        units = action_units("contempt", 1.0, generator_for(number))
        left, right = (units.get(f"mouthDimple{side}", 0.0) for side in ("Left", "Right"))
        assert min(left, right) == 0 < max(left, right)
        sides.add(left > right)
    assert sides == {True, False}


def test_an_unknown_expression_is_refused() -> None:
    with pytest.raises(ValueError, match="boredom"):
        action_units("boredom", 1.0, generator_for(0))


def test_the_jaw_opens_the_mouth(template: Template) -> None:
    points = moved(template, {"jawOpen": 1.0})
    assert points[62, 1] - points[66, 1] > 0.2
    assert np.abs(points[36:48]).max() < 0.02


def test_the_inner_brow_rises_more_than_the_outer(template: Template) -> None:
    points = moved(template, {"browInnerUp": 1.0})
    assert points[[21, 22], 1].min() > 0.05
    assert points[[21, 22], 1].mean() > 2 * points[[17, 26], 1].mean()


def test_a_smile_lifts_the_corners_of_the_mouth_and_a_frown_lowers_them(template: Template) -> None:
    corners = [48, 54]
    assert moved(template, both_sides({"mouthSmile*": 1.0}))[corners, 1].min() > 0.03
    assert moved(template, both_sides({"mouthFrown*": 1.0}))[corners, 1].max() < -0.03


def test_a_blink_moves_the_upper_lid_down(template: Template) -> None:
    points = moved(template, both_sides({"eyeBlink*": 1.0}))
    assert points[[37, 38, 43, 44], 1].max() < -0.03


def test_mirrored_units_move_mirrored_points(template: Template) -> None:
    units = {"mouthSmileLeft": 1.0}
    left, right = moved(template, units), moved(template, mirrored(units))
    assert np.allclose(left[54] * [-1, 1, 1], right[48], atol=0.02)


def test_age_deepens_folds_and_a_frown_folds_the_brow() -> None:
    assert fold_weights({}, 1.0)["crow_feet"] > fold_weights({}, 0.6)["crow_feet"]
    assert fold_weights({"browDownLeft": 1.0}, 0.6)["glabella"] > 1


def test_landmarks_of_the_reference_head_are_distinct_and_symmetric(template: Template) -> None:
    assert len(set(template.landmarks)) == 68
    points = template.reference[template.landmarks]
    assert np.allclose(points[:8, 1], points[16:8:-1, 1], atol=0.02)
    eyes = five_points(points)
    assert eyes[0, 0] < eyes[2, 0] < eyes[1, 0]
