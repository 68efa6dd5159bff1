import pandas as pd
import pytest
import yaml

from openfer.labels import ACTION_UNITS, FACTORS
from openfer.schemas import TRUTHS
from openfer.seeds import generator_for
from openfer_faces.synthetic.config import SyntheticConfig
from openfer_faces.synthetic.expressions import action_units
from openfer_faces.synthetic.sets import SETS, plan, rows
from openfer_faces.synthetic.truths import truths
from tests.pipelines.conftest import ROOT


@pytest.fixture(scope="module")
def config() -> SyntheticConfig:
    text = (ROOT / "conf/base/parameters/synthetic.yml").read_text()
    text = text.replace("${globals:seed}", "0").replace("${globals:image_size}", "64")
    return SyntheticConfig.model_validate(yaml.safe_load(text)["synthetic"])


@pytest.mark.parametrize("name", SETS)
def test_every_face_of_every_set_has_all_six_factors_and_an_expression(name: str, config: SyntheticConfig) -> None:
    scenes = plan(name, config)
    found = TRUTHS.validate(truths(name, scenes))
    assert found["sample_id"].tolist() == scenes["sample_id"].tolist()
    assert found[["expression", *FACTORS]].notna().all(axis=None)
    assert (found["identity"] == scenes["person"]).all()


@pytest.mark.parametrize("name", SETS)
def test_what_a_set_labels_is_what_is_true(name: str, config: SyntheticConfig) -> None:
    scenes = plan(name, config)
    labelled, found = rows(name, scenes), truths(name, scenes)
    names = [column for column in ("expression", *FACTORS) if labelled[column].notna().all()]
    assert names
    assert (labelled[names].astype(str) == found[names].astype(str)).all(axis=None)


def test_action_units_are_those_that_the_renderer_draws(config: SyntheticConfig) -> None:
    scenes = plan("synthetic_fer", config).head(20)
    found = truths("synthetic_fer", scenes)["action_units"]
    for scene, weights in zip(scenes.to_dict("records"), found, strict=True):
        drawn = action_units(scene["expression"], scene["intensity"], generator_for(int(scene["seed"]), "expression"))
        assert {name: value for name, value in zip(ACTION_UNITS, weights, strict=True) if value} == {
            name: value for name, value in drawn.items() if value
        }


def test_a_bound_of_yaw_or_light_belongs_to_the_class_above() -> None:
    yaws = (-90.0, -10.1, -10.0, 9.9, 10.0, 50.0)
    scenes = pd.DataFrame(
        {
            **{"sample_id": list("abcdef"), "person": "p", "expression": "fear", "gender": "male", "age": "70+"},
            **{
                "race": "asian",
                "occluder": "none",
                "manner": None,
                "seed": 0,
                "intensity": 1.0,
                "pose": "yaw+0",
                "illumination": "light00",
            },
            **{"yaw": yaws, "light_yaw": (-30.1, -30.0, 29.9, 30.0, 90.0, 0.0)},
            **{"light_key": [1.1, 1.1, 1.1, 1.1, 0.4, 0.4], "light_ambient": [0.2, 0.2, 0.2, 0.2, 0.8, 0.4]},
        }
    )
    found = truths("synthetic_fer", scenes)
    viewpoints = [*2 * ["from the right"], *2 * ["frontal"], *2 * ["from the left"]]
    lights = ["hard, from the right", *2 * ["hard, frontal"], "hard, from the left", *2 * ["soft"]]
    assert (found["pose"].tolist(), found["illumination"].tolist()) == (viewpoints, lights)


def test_classes_of_the_default_expression_set_are_large_enough_to_be_probed(config: SyntheticConfig) -> None:
    found = truths("synthetic_fer", plan("synthetic_fer", config))
    assert found["pose"].value_counts(normalize=True).between(0.25, 0.45).all()
    assert found["illumination"].value_counts(normalize=True).between(0.1, 0.65).all()
