import pandas as pd

from openfer.protocols.deduplicated import deduplicated
from openfer.protocols.groups import groups_of, listed

ROWS = pd.DataFrame(
    {
        "sample_id": ["a", "b", "c", "d"],
        "subsets": [None, ["pose30", "pose45"], ["occlusion", "pose30"], None],
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
        ("copies", "none in training"): ["b", "c"],
    }


def test_without_copies_the_deduplicated_test_set_is_no_group_of_its_own():
    pairs = pd.DataFrame({"sample_id_1": [], "sample_id_2": []}, dtype=object)
    assert {by for by, _ in grouped(groups_of(ROWS, SPLIT, deduplicated(SPLIT, pairs)))} == {"challenge"}


def test_a_copy_counts_in_the_fold_where_the_sample_is_tested():
    folds = pd.DataFrame(
        {"sample_id": ["a", "b", "c"] * 2, "fold": [0] * 3 + [1] * 3, "role": ["train", "test", "test", "test", "train", "train"]}
    )
    pairs = pd.DataFrame({"sample_id_1": ["b"], "sample_id_2": ["a"]})
    kept = deduplicated(pd.concat([folds, SPLIT.assign(fold=2)], ignore_index=True), pairs)
    found = grouped(groups_of(ROWS, pd.concat([folds, SPLIT.assign(fold=2)], ignore_index=True), kept))
    assert found["copies", "none in training"] == ["c", "d"]  # a and b are each other's copy, c and d are not


def test_rows_on_no_list_make_an_empty_table():
    rows = ROWS.assign(subsets=None)
    assert listed(rows).empty
    assert list(listed(rows).columns) == ["sample_id", "by", "group"]
