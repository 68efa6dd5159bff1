from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from openfer_faces.synthetic.config import Intensity, Mixture, SyntheticConfig

PARAMETERS = Path(__file__).parents[3] / "conf/base/parameters/synthetic.yml"


def test_the_default_parameters_are_valid() -> None:
    text = PARAMETERS.read_text().replace("${globals:seed}", "0").replace("${globals:image_size}", "72")
    assert SyntheticConfig.model_validate(yaml.safe_load(text)["synthetic"]).workers == "auto"


def test_an_unknown_parameter_is_refused(config: SyntheticConfig) -> None:
    with pytest.raises(ValidationError, match="people_per_image"):
        SyntheticConfig.model_validate(config.model_dump() | {"people_per_image": 3})


@pytest.mark.parametrize("workers", [0, -1, "many"])
def test_workers_are_a_positive_number_or_auto(config: SyntheticConfig, workers: object) -> None:
    with pytest.raises(ValidationError, match="workers"):
        SyntheticConfig.model_validate(config.model_dump() | {"workers": workers})


def test_the_weakest_intensity_is_not_above_the_strongest() -> None:
    with pytest.raises(ValidationError, match=r"intensity\.low is 0\.9"):
        Intensity(low=0.9, high=0.5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ages": ["20-40"]}, r"ages is \['20-40'\]; give some of 0-3, 4-19"),
        ({"genders": ["male", "male"]}, "each once"),
        ({"races": []}, "races"),
        ({"clear_at": {"joy": 0.5}}, "clear_at names joy; the expressions are happiness"),
        ({"clear_at": {"neutral": 0.5}}, "clear_at names neutral"),
    ],
)
def test_people_and_expressions_that_do_not_exist_are_refused(
    config: SyntheticConfig, changes: dict, words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        SyntheticConfig.model_validate(config.model_dump() | {"fer": config.fer.model_dump() | changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"illumination": "light19", "flash_share": 0}, "'light19'; the lights are light00"),
        (
            {"illumination": "light00", "flash_share": 0.4},
            r"flash_share is 0\.4, but all images have the light light00",
        ),
    ],
)
def test_one_light_is_one_that_exists_and_has_no_flashes_beside_it(
    config: SyntheticConfig, changes: dict, words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        Mixture.model_validate(config.fer.mixture.model_dump() | changes)
