"""Everyday movements: parts of expressions, open mouths, and faces that move at rest."""

import numpy as np
import pytest

from openfer.labels import EXPRESSIONS
from openfer.seeds import generator_for
from openfer_faces.synthetic.assets import ACTION_UNITS
from openfer_faces.synthetic.everyday import everyday_units
from openfer_faces.synthetic.expressions import Units, action_units
from openfer_faces.synthetic.movements import EVERYDAY, units_of_scene
from tests.openfer_faces.synthetic.conftest import Draw

FACES = 60
WITHOUT_WHICH_IT_IS_ANOTHER = {
    "happiness": "mouthSmileLeft",
    "sadness": "mouthFrownRight",
    "surprise": "browOuterUpLeft",
    "fear": "eyeWideRight",
    "disgust": "noseSneerLeft",
    "anger": "browDownRight",
}


def drawn(expression: str, intensity: float = 1.0) -> list[Units]:
    return [everyday_units(expression, intensity, generator_for(number, expression)) for number in range(FACES)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_movement_has_an_asset_and_a_weight_that_is_not_negative(expression: str) -> None:
    for units in drawn(expression, 1.1):
        assert set(units) <= set(ACTION_UNITS)
        assert min(units.values()) >= 0


@pytest.mark.parametrize(("expression", "unit"), WITHOUT_WHICH_IT_IS_ANOTHER.items())
def test_an_expression_keeps_the_movement_that_makes_it(expression: str, unit: str) -> None:
    expressive, resting = (
        np.array([units.get(unit, 0.0) for units in drawn(name)]) for name in (expression, "neutral")
    )
    assert np.median(expressive) > 0.5
    assert np.quantile(expressive, 0.1) > np.quantile(resting, 0.9)


def test_some_smiles_leave_the_eyes_out_and_some_show_teeth() -> None:
    smiles = drawn("happiness")
    shares = [
        np.mean([units.get(name, 0.0) > 0.3 for units in smiles]) for name in ("cheekSquintLeft", "mouthLowerDownLeft")
    ]
    assert all(0.2 < share < 0.8 for share in shares)


def test_a_mouth_opens_already_in_a_weak_expression() -> None:
    weak, full = drawn("happiness", 0.2), drawn("happiness")
    laughing = [number for number, units in enumerate(full) if units.get("mouthLowerDownLeft", 0.0) > 1]
    opened = [weak[number]["mouthLowerDownLeft"] / full[number]["mouthLowerDownLeft"] for number in laughing]
    assert laughing
    assert min(opened) > 0.3


def test_faces_at_rest_move_brows_and_lids_more_than_prototypes_and_raise_the_mouth_less() -> None:
    everyday = drawn("neutral")
    prototypes = [action_units("neutral", 0.0, generator_for(number, "neutral")) for number in range(FACES)]

    def spread(faces: list[Units], name: str) -> float:
        return float(np.std([units.get(name, 0.0) for units in faces]))

    for name in ("browDownLeft", "browOuterUpRight", "eyeSquintLeft", "eyeBlinkRight"):
        assert spread(everyday, name) > 1.3 * spread(prototypes, name)
    assert spread(everyday, "mouthSmileLeft") < 0.6 * spread(prototypes, "mouthSmileLeft")


def test_the_manner_of_a_scene_decides_its_movements() -> None:
    assert units_of_scene("fear", 0.8, 3, None) == action_units("fear", 0.8, generator_for(3, "expression"))
    assert units_of_scene("fear", 0.8, 3, EVERYDAY) == everyday_units("fear", 0.8, generator_for(3, "expression"))


def test_an_everyday_scene_is_another_image(draw: Draw) -> None:
    prototype, everyday = (draw(expression="anger", manner=manner).image for manner in (None, EVERYDAY))
    assert np.abs(prototype.astype(int) - everyday).mean() > 1


def test_an_unknown_expression_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown expression 'joy'; the names are neutral, happiness"):
        everyday_units("joy", 1.0, np.random.default_rng(0))
