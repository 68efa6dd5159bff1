"""One template and one renderer at 64 pixels for all tests of this room."""

from collections.abc import Callable
from typing import Any

import pytest

from openfer_faces.synthetic.config import SyntheticConfig
from openfer_faces.synthetic.people.person import Person, make_person
from openfer_faces.synthetic.renderer.renderer import Renderer, Rendering
from openfer_faces.synthetic.scene.description import Scene
from openfer_faces.synthetic.template import Template

MIXTURE = {
    **{"yaw_std": 20.0, "pitch_std": 7.0, "roll_std": 4.0, "zoom_std": 0.05, "shift_std": 0.015},
    **{"occluded_share": 0.3, "flash_share": 0.4, "intensity": {"low": 0.6, "high": 1.1}},
}


def make_config(**changes: Any) -> SyntheticConfig:
    values = {
        "seed": 0,
        "image_size": 48,
        "workers": 1,
        "pie": {"people": 4, "images_per_person": 15, "occluded_share": 0.0, "intensity": {"low": 0.6, "high": 1.0}},
        "raf": {"people": 30, "images_per_person": 2, "mixture": MIXTURE},
        "fer": {"train_people": 4, "test_people": 2, "images_per_person": 7, "mixture": MIXTURE},
        "sequences": {"people": 4, "sequences_per_person": 3, "frames": 6, "mixture": MIXTURE},
    }
    return SyntheticConfig.model_validate(values | changes)


@pytest.fixture(scope="session")
def config() -> SyntheticConfig:
    return make_config()


@pytest.fixture(scope="session")
def template() -> Template:
    return Template(64)


@pytest.fixture(scope="session")
def man(template: Template) -> Person:
    return make_person(template, 11, "male", "20-39", "caucasian")


Draw = Callable[..., Rendering]


@pytest.fixture(scope="session")
def draw(template: Template, man: Person) -> Draw:
    """Render the man; keywords change his scene."""
    renderer = Renderer(template)

    def render(person: Person = man, **changes: Any) -> Rendering:
        traits = person.traits
        values = {"seed": 5, "person_seed": 11, "gender": traits.gender, "age": traits.age, "race": traits.race}
        values |= {"expression": "neutral", "intensity": 1.0}
        return renderer.render(person, Scene(**(values | changes)))

    return render
