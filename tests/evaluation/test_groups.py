import pandas as pd
from random_runs import random_run

from openfer.evaluation.groups import membership, together
from openfer.schemas import group_table

GROUPS = group_table(
    {
        ("occluder", "none"): ["s0", "s1", "s2"],
        ("occluder", "mask"): ["s3"],
        ("occluder", "hand"): ["elsewhere"],
        ("challenge", "pose30"): ["s0", "s3"],
    }
)


def members(predictions, groups):
    found = membership(predictions, groups)
    pairs = pd.DataFrame({"group": found.group, "sample": found.sample}).groupby("group")["sample"].agg(list)
    return {tuple(name): pairs[place] for place, name in enumerate(found.names.itertuples(index=False))}


def test_the_whole_comes_first_and_groups_without_a_prediction_are_not_there():
    assert members(random_run(4), GROUPS) == {
        ("all", "all"): [0, 1, 2, 3],
        ("occluder", "none"): [0, 1, 2],
        ("occluder", "mask"): [3],
        ("challenge", "pose30"): [0, 3],
    }


def test_several_datasets_are_groups():
    run = random_run(4).assign(dataset=["raf", "fed_ro", "raf", "raf"])
    assert members(run, None) == {
        ("all", "all"): [0, 1, 2, 3],
        ("dataset", "raf"): [0, 2, 3],
        ("dataset", "fed_ro"): [1],
    }


def test_groups_of_several_datasets_say_whose_they_are():
    own = group_table({("challenge", "pose30"): ["s0"]})
    pd.testing.assert_frame_equal(together({"raf": own}), own)
    assert together({"raf": own, "affectnet": own})["group"].tolist() == ["raf: pose30", "affectnet: pose30"]
