import numpy as np
import pandas as pd

from openfer_faces.synthetic.groups import scene_groups

SCENES = pd.DataFrame(
    {
        "sample_id": ["a", "b", "c", "d", "e"],
        "occluder": ["none", "mask", "none", "hair", "none"],
        "yaw": [-15.0, 3.0, 47.0, -31.0, 90.0],
        "light_yaw": [80.0, 10.0, -30.0, 0.0, 5.0],
        "light_key": [0.4, 1.0, 1.0, 0.4, 0.4],
        "light_ambient": [0.8, 0.2, 0.2, 0.8, 0.8],
        "expression": ["fear", "neutral", "anger", "fear", "fear"],
        "intensity": [1.1, 1.0, 0.6, 0.79, 0.3],
        "gender": ["male", "female", "male", "female", "female"],
        "race": ["asian", "african", "caucasian", "asian", "asian"],
        "age": ["70+", "0-3", "20-39", "20-39", "70+"],
    }
)
SEEN = {"e": 0.2, "d": 0.5, "c": 1.0, "b": 0.69, "a": 0.9}
"""Shares of points seen; the table's order is another one than the scenes'."""


def grouped():
    points = {name: np.arange(1000) < 1000 * share for name, share in SEEN.items()}
    landmarks = pd.DataFrame({"sample_id": list(points), "confidence68": [p.astype(float) for p in points.values()]})
    table = scene_groups(SCENES, landmarks)
    return {key: part["sample_id"].tolist() for key, part in table.groupby(["by", "group"], sort=False)}


def test_faces_are_grouped_by_occluder_yaw_and_visible_points_a_bound_belonging_to_the_group_above():
    found = grouped()
    assert [group for by, group in found if by == "occluder"] == ["none", "mask", "hair"]
    assert found["occluder", "none"] == ["a", "c", "e"]
    assert {group: names for (by, group), names in found.items() if by == "yaw"} == {
        "0 to 15 degrees": ["b"],
        "15 to 30 degrees": ["a"],
        "30 to 45 degrees": ["d"],
        "45 to 90 degrees": ["c", "e"],
    }
    assert {group: names for (by, group), names in found.items() if by == "visible points"} == {
        "0 % to 50 %": ["e"],
        "50 % to 70 %": ["b", "d"],
        "90 % to 100 %": ["a", "c"],
    }


def test_challenge_groups_are_those_of_the_public_lists():
    found = {group: names for (by, group), names in grouped().items() if by == "challenge"}
    assert found == {"occlusion": ["b", "d"], "none of them": ["a"], "pose30": ["c", "d", "e"], "pose45": ["c", "e"]}


def by(kind):
    return {group: names for (of, group), names in grouped().items() if of == kind}


def test_light_is_of_the_room_or_a_flash_by_the_side_that_it_comes_from():
    assert by("illumination") == {
        "room light": ["a", "d", "e"],
        "flash from 0 to 30 degrees": ["b"],
        "flash from 30 to 60 degrees": ["c"],
    }


def test_intensity_is_of_faces_that_show_an_expression():
    assert by("intensity") == {
        "0 % to 60 %": ["e"],
        "60 % to 80 %": ["c", "d"],
        "100 % to 120 %": ["a"],
    }


def test_people_are_grouped_by_gender_race_and_age_in_canonical_order():
    assert by("gender") == {"male": ["a", "c"], "female": ["b", "d", "e"]}
    assert list(by("race")) == ["caucasian", "african", "asian"]
    assert by("age") == {"0-3": ["b"], "20-39": ["c", "d"], "70+": ["a", "e"]}
