import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.protocols.leakage import EXPECTED, LEAK, NONE_FOUND, UNKNOWN, leakage_report, refuse_shared_subjects


def case(subjects, roles, dataset="toy"):
    names = [f"s{i}" for i in range(len(roles))]
    rows = pd.DataFrame({"sample_id": names, "dataset": dataset, "subject": subjects})
    split = pd.DataFrame({"sample_id": names, "fold": 0, "role": roles})
    return rows, split, {name: f"hash-{name}" for name in names}


CLEAN = (["anna", "anna", "ben", "cem"], ["train", "train", "val", "test"])


def line(report, kind, roles):
    return report.set_index(["kind", "roles"]).loc[(kind, roles)]


def test_a_clean_split_still_says_what_was_checked():
    report = leakage_report(*case(*CLEAN))
    assert len(report) == 6
    assert set(report.verdict) == {NONE_FOUND}
    assert line(report, "subject", "train/test").checked == 3
    assert line(report, "subject", "train/test").samples == 3


def test_a_shared_subject_is_counted_in_people_and_in_test_samples():
    report = leakage_report(*case(["anna", "ben", "anna", "anna"], ["train", "train", "test", "test"]))
    found = line(report, "subject", "train/test")
    assert (found.shared, found["count"], found.verdict) == (1, 2, LEAK)
    assert found.examples == "s0 = s2"
    with pytest.raises(DataError, match=r"1 subjects are in training and in test \(fold 0\): 2 test samples"):
        refuse_shared_subjects(report)


def test_a_clean_split_is_not_refused():
    refuse_shared_subjects(leakage_report(*case(*CLEAN)))


def test_a_copy_of_an_image_is_reported_and_not_refused():
    rows, split, hashes = case(*CLEAN)
    report = leakage_report(rows, split, hashes | {"s3": hashes["s0"]})
    found = line(report, "exact_duplicate", "train/test")
    assert (found.shared, found["count"], found.verdict, found.examples) == (1, 1, LEAK, "s0 = s3")
    refuse_shared_subjects(report)


def test_a_holdout_shares_subjects_by_design_and_copies_are_a_leak_all_the_same():
    rows, split, hashes = case(["anna", "anna", "ben", "ben"], ["train", "val", "train", "val"])
    report = leakage_report(rows, split, hashes | {"s1": hashes["s0"]}, identities_shared=True)
    assert line(report, "subject", "train/val").verdict == EXPECTED
    assert line(report, "exact_duplicate", "train/val").verdict == LEAK


def test_unknown_subjects_and_hashes_are_not_called_clean():
    rows, split, _ = case([None, None, "ben", None], ["train", "train", "val", "test"])
    report = leakage_report(rows, split, {})
    assert set(report.verdict) == {UNKNOWN}
    assert line(report, "subject", "train/val").checked == 1
    assert line(report, "exact_duplicate", "train/test").checked == 0


def test_the_same_subject_name_in_two_datasets_is_no_leak():
    rows, split, hashes = case(["p1", "p1"], ["train", "test"], dataset=["one", "two"])
    assert set(leakage_report(rows, split, hashes).verdict) == {NONE_FOUND}


def test_folds_are_checked_one_by_one():
    rows, split, hashes = case(["anna", "ben"], ["train", "test"])
    swapped = split.assign(fold=1, role=["test", "train"])
    report = leakage_report(rows, pd.concat([split, swapped]), hashes)
    assert set(report.fold) == {0, 1}
    assert set(report.verdict) == {NONE_FOUND}


def couples(*pairs):
    return pd.DataFrame(pairs, columns=["sample_id_1", "sample_id_2"]).assign(distance=5)


def test_near_duplicates_are_a_kind_of_their_own_where_pairs_are_given():
    report = leakage_report(*case(*CLEAN), pairs=couples(("s0", "s3"), ("s1", "s3"), ("s0", "s1")))
    assert len(report) == 9
    found = line(report, "near_duplicate", "train/test")
    assert (found.shared, found["count"], found.verdict) == (2, 1, LEAK)
    assert (found.examples, found.checked, found.samples) == ("s0 = s3; s1 = s3", 3, 3)
    assert line(report, "near_duplicate", "train/val").verdict == NONE_FOUND


def test_a_pair_is_found_in_either_order():
    rows, split, hashes = case(*CLEAN)
    report = leakage_report(
        rows, split.assign(role=["test", "test", "val", "train"]), hashes, pairs=couples(("s0", "s3"))
    )
    assert line(report, "near_duplicate", "train/test").examples == "s3 = s0"


def test_byte_identical_images_are_no_near_duplicates():
    rows, split, hashes = case(*CLEAN)
    report = leakage_report(rows, split, hashes | {"s3": hashes["s0"]}, pairs=couples(("s0", "s3")))
    assert line(report, "near_duplicate", "train/test").verdict == NONE_FOUND
    assert line(report, "exact_duplicate", "train/test").verdict == LEAK


def test_near_duplicates_of_faces_without_hashes_are_not_called_clean():
    rows, split, _ = case(*CLEAN)
    found = line(leakage_report(rows, split, {}, pairs=couples()), "near_duplicate", "train/test")
    assert (found.checked, found.verdict) == (0, UNKNOWN)


def test_a_split_with_one_role_has_no_two_sides_and_the_same_columns():
    report = leakage_report(*case(["anna", "ben"], ["test", "test"]))
    assert report.empty
    assert list(report.columns) == list(leakage_report(*case(*CLEAN)).columns)
