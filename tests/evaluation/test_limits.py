"""Which groups are too thin to say anything of."""

import pandas as pd

from openfer.evaluation.limits import thin_groups


def table(**sizes):
    return pd.DataFrame({"by": "occluder", "group": list(sizes), "n": list(sizes.values())})


def test_groups_below_thirty_are_named_once_the_smallest_first():
    thin = thin_groups([table(none=200, mask=29, hand=3), table(none=10, mask=30, hand=4)])
    assert thin.to_numpy().tolist() == [["occluder", "hand", 4]]


def test_the_whole_is_no_group():
    whole = pd.DataFrame({"by": ["all", "age"], "group": ["all", "young"], "n": [20, 10]})
    assert thin_groups([whole])["group"].tolist() == ["young"]


def test_without_groups_nothing_is_thin():
    assert thin_groups([]).empty
