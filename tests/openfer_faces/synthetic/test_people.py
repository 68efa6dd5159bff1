import numpy as np
import pytest

from openfer.labels import AGES, RACES
from openfer_faces.synthetic.people.person import Person, make_person
from openfer_faces.synthetic.people.shape import make_shape
from openfer_faces.synthetic.people.traits import draw_traits
from openfer_faces.synthetic.template import Template


def test_the_same_seed_makes_the_same_person(template: Template, man: Person) -> None:
    again = make_person(template, 11, "male", "20-39", "caucasian")
    assert np.array_equal(again.texture, man.texture)
    assert np.array_equal(again.shape.vertices, man.shape.vertices)


def test_another_seed_makes_another_person(template: Template, man: Person) -> None:
    other = make_person(template, 12, "male", "20-39", "caucasian")
    points = template.landmarks
    assert np.abs(other.shape.vertices[points] - man.shape.vertices[points]).max() > 0.02
    assert np.abs(other.texture - man.texture).mean() > 0.005


@pytest.mark.parametrize("race", RACES)
@pytest.mark.parametrize("age", AGES)
def test_every_kind_of_person_is_well_formed(template: Template, age: str, race: str) -> None:
    person = make_person(template, 3, "female", age, race)
    assert np.isfinite(person.shape.vertices).all()
    assert 0 < person.texture.min() <= person.texture.max() < 2
    face = person.shape.vertices[template.landmarks]
    assert face[66, 1] < face[62, 1] + 0.03 < face[33, 1] < face[27, 1]
    assert np.ptp(face[:, 0]) < 1.9


def test_dark_skin_is_darker_than_fair_skin() -> None:
    mean = {
        race: np.mean([draw_traits(seed, "male", "20-39", race).skin.mean() for seed in range(8)]) for race in RACES
    }
    assert mean["african"] < 0.5 * min(mean["asian"], mean["caucasian"])


def test_only_the_old_are_grey() -> None:
    grey = {age: np.mean([draw_traits(seed, "female", age, "asian").greyness for seed in range(8)]) for age in AGES}
    assert grey["0-3"] == grey["4-19"] == grey["20-39"] == 0 < grey["40-69"] < grey["70+"]


def test_an_infants_face_is_rounder_than_an_adults(template: Template) -> None:
    def roundness(age: str) -> float:
        shapes = [make_shape(template, seed, draw_traits(seed, "male", age, "asian")).vertices for seed in range(4)]
        points = np.mean(shapes, 0)[template.landmarks]
        return float(np.ptp(points[:17, 0]) / (points[27, 1] - points[8, 1]))

    assert roundness("0-3") > 1.1 * roundness("20-39")
