import pandas as pd

from openfer.protocols.deduplicated import deduplicated
from openfer.protocols.groups import LABELLED, groups_of, listed

ROWS = pd.DataFrame(
    {
        "sample_id": ["a", "b", "c", "d"],
        "subsets": [None, ["pose30", "pose45"], ["occlusion", "pose30"], None],
        **{factor: [None] * 4 for factor in LABELLED},
    }
)
SPLIT = pd.DataFrame({"sample_id": ["a", "b", "c", "d"], "fold": 0, "role": ["train", "test", "test", "test"]})


def grouped(table):
    return {key: part["sample_id"].tolist() for key, part in table.groupby(["by", "group"], sort=False)}


def test_challenge_lists_and_the_test_set_without_copies_are_groups():
    pairs = pd.DataFrame({"sample_id_1": ["d"], "sample_id_2": ["a"]})
    assert grouped(groups_of(ROWS, SPLIT, deduplicated(SPLIT, pairs))) == {
        ("challenge", "occlusion"): ["c"],
        ("challenge", "pose30"): ["b", "c"],
        ("challenge", "pose45"): ["b"],
        ("copies", "none in its own training set"): ["b", "c"],
    }


def test_without_copies_the_deduplicated_test_set_is_no_group_of_its_own():
    pairs = pd.DataFrame({"sample_id_1": [], "sample_id_2": []}, dtype=object)
    assert {by for by, _ in grouped(groups_of(ROWS, SPLIT, deduplicated(SPLIT, pairs)))} == {"challenge"}


def test_a_copy_counts_in_the_fold_where_the_sample_is_tested():
    """Copies of each other, a and b are tested in folds of their own; c and d share fold 2 with both in training."""
    folds = pd.DataFrame({"sample_id": list("abcd") * 3, "fold": [0] * 4 + [1] * 4 + [2] * 4})
    tested = {("a", 0), ("c", 0), ("b", 1), ("d", 1), ("c", 2), ("d", 2)}
    pairs = zip(folds["sample_id"], folds["fold"], strict=True)
    split = folds.assign(role=["test" if pair in tested else "train" for pair in pairs])
    copies = pd.DataFrame({"sample_id_1": ["b"], "sample_id_2": ["a"]})
    found = grouped(groups_of(ROWS, split, deduplicated(split, copies)))
    assert found["copies", "none in its own training set"] == ["c", "d"]


def test_rows_on_no_list_are_in_no_group():
    assert grouped(listed(ROWS.assign(subsets=None))) == {}


def test_what_rows_label_of_people_pose_and_light_are_groups_in_canonical_order():
    rows = ROWS.assign(subsets=None, gender=["female", "male", None, "female"], pose=[None, "yaw+15", "yaw-15", None])
    expected = {
        ("gender", "male"): ["b"],
        ("gender", "female"): ["a", "d"],
        ("pose", "yaw-15"): ["c"],
        ("pose", "yaw+15"): ["b"],
    }
    assert grouped(listed(rows)) == expected
    pairs = pd.DataFrame({"sample_id_1": [], "sample_id_2": []}, dtype=object)
    assert grouped(groups_of(rows, SPLIT, deduplicated(SPLIT, pairs))) == expected
