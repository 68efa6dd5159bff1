import numpy as np
import pandas as pd

from openfer.synthetic.groups import scene_groups

SCENES = pd.DataFrame(
    {
        "sample_id": ["a", "b", "c", "d", "e"],
        "occluder": ["none", "mask", "none", "hair", "none"],
        "yaw": [-15.0, 3.0, 47.0, -31.0, 90.0],
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
