"""Which groups are too thin to say anything of."""

import pandas as pd

from openfer.evaluation.limits import thin_groups


def table(people=20, **sizes):
    return pd.DataFrame({"by": "occluder", "group": list(sizes), "n": list(sizes.values()), "people": people})


def test_groups_below_thirty_are_named_once_the_smallest_first():
    thin = thin_groups([table(none=200, mask=29, hand=3), table(none=10, mask=30, hand=4)])
    assert thin.to_numpy().tolist() == [["occluder", "hand", 4, 20]]


def test_many_images_of_a_handful_of_people_are_thin_too():
    assert thin_groups([table(9, none=200)]).to_numpy().tolist() == [["occluder", "none", 200, 9]]
    assert thin_groups([table(10, none=200)]).empty


def test_the_whole_is_no_group():
    whole = pd.DataFrame({"by": ["all", "age"], "group": ["all", "young"], "n": [20, 10], "people": [20, 10]})
    assert thin_groups([whole])["group"].tolist() == ["young"]


def test_without_groups_nothing_is_thin():
    assert thin_groups([]).empty
