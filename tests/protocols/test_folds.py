import hashlib
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from tests.protocols.people import in_order, laboratory, names

from openfer.errors import DataError, ParameterError
from openfer.protocols.fold_lists import NAMES, fold_list
from openfer.protocols.folds import image_folds, subject_folds
from openfer.schemas import SPLIT


def each_fold(rows, split):
    for _, assigned in split.groupby("fold"):
        yield rows.merge(assigned, on="sample_id", validate="one_to_one")


@pytest.mark.parametrize("seed", range(4))
def test_no_subject_has_two_roles_in_a_fold_and_every_row_tests_once(seed):
    rows = laboratory(names(40), seed)
    split = subject_folds(rows, 10, 0.15, seed)
    SPLIT.validate(split)
    for fold in each_fold(rows, split):
        assert len(fold) == len(rows)
        assert fold.groupby("subject")["role"].nunique().max() == 1
        assert set(fold.role) == {"train", "val", "test"}
    tested = split[split.role == "test"]
    assert sorted(tested.sample_id) == sorted(rows.sample_id)


def test_folds_are_alike_in_size_and_classes():
    rows = laboratory(names(100))
    tested = subject_folds(rows, 10, 0.15, seed=0).query("role == 'test'").merge(rows, on="sample_id")
    counts = pd.crosstab(tested.fold, tested.expression).to_numpy()
    wanted = counts.sum(axis=0) / 10
    assert np.abs(counts - wanted).max() <= 2
    assert np.abs(counts.sum(axis=1) - wanted.sum()).max() <= 4


def test_validation_comes_close_to_its_share_of_the_training_side():
    rows = laboratory(names(100))
    split = subject_folds(rows, 10, 0.15, seed=0)
    for _, fold in split[split.role != "test"].groupby("fold"):
        assert (fold.role == "val").mean() == pytest.approx(0.15, abs=0.02)


@pytest.mark.parametrize("listed", [None, {name: index % 10 for index, name in enumerate(names(40))}])
def test_folds_do_not_depend_on_the_order_of_rows(listed):
    rows = laboratory(names(40))
    shuffled = rows.sample(frac=1, random_state=1)
    first, again = (in_order(subject_folds(table, 10, 0.15, 5, listed)) for table in (rows, shuffled))
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize("images", [127, 128, 300])
def test_a_subject_may_have_any_number_of_images_of_a_class(images):
    rows = pd.DataFrame({"subject": np.repeat(list("abcd"), images), "expression": ["happiness", "anger"] * 2 * images})
    rows = rows.assign(sample_id=rows.index.astype(str), dataset="laboratory")
    rows.loc[rows.subject == "a", "expression"] = "happiness"
    split = subject_folds(rows, 4, 0.5, seed=0)
    assert (
        split.query("role == 'test'").merge(rows, on="sample_id").groupby("fold")["subject"].nunique().tolist()
        == [1] * 4
    )


def test_another_seed_deals_other_folds():
    rows = laboratory(names(40))
    assert not subject_folds(rows, 10, 0.15, 0).equals(subject_folds(rows, 10, 0.15, 1))


def test_the_partition_is_ignored_and_unlabelled_rows_get_no_role(caplog):
    rows = laboratory(names(30)).assign(partition="train")
    rows.loc[:2, "expression"] = None
    split = subject_folds(rows, 5, 0.2, seed=0)
    assert not set(rows.sample_id[:3]) & set(split.sample_id)
    assert "3 of" in caplog.text
    assert (split.role == "test").sum() == len(rows) - 3


def test_a_labelled_row_without_a_subject_is_an_error_that_names_the_remedy():
    rows = laboratory(names(20))
    rows.loc[0, "subject"] = None
    with pytest.raises(DataError, match=r"1 of .* have no subject.*image_folds"):
        subject_folds(rows, 10, 0.15, 0)


def test_fewer_subjects_than_folds_is_an_error():
    with pytest.raises(DataError, match=r"4 subjects .* cannot fill 10 folds"):
        subject_folds(laboratory(names(4)), 10, 0.15, 0)


@pytest.mark.parametrize(("folds", "share"), [(1, 0.15), (10, -0.1), (10, 1)])
def test_folds_and_shares_out_of_range_are_parameter_errors(folds, share):
    with pytest.raises(ParameterError, match=r"protocol\.folds is 1|validation_share is"):
        subject_folds(laboratory(names(20)), folds, share, 0)


def test_one_class_alone_cannot_be_split():
    with pytest.raises(DataError, match="1 classes of expression"):
        subject_folds(laboratory(names(20)).assign(expression="fear"), 10, 0.15, 0)


def test_published_lists_never_change():
    known = {
        "ck_plus": "0d3bc1dabf5b499a62067de105e8c98ea1752607697b84809aa778ad3966ab33",
        "mmi": "8fd20d0ddab3075279d15f0904c0117751f53f117a1939ecaef967ca6db234bd",
        "oulu_casia": "1135ddaeedab81b52ba7d595a1caa8b85450ecf3e246b104e328e75cd24bfa6f",
    }
    folder = files("openfer.protocols.fold_lists")
    assert {name: hashlib.sha256(folder.joinpath(f"{name}.csv").read_bytes()).hexdigest() for name in NAMES} == known


@pytest.mark.parametrize(("name", "subjects"), [("ck_plus", 118), ("mmi", 100), ("oulu_casia", 80)])
def test_lists_deal_the_sorted_subjects_in_turn(name, subjects):
    listed = fold_list(name)
    assert len(listed) == subjects
    assert [listed[subject] for subject in sorted(listed)] == [place % 10 for place in range(subjects)]


def test_a_list_decides_who_tests_whatever_a_copy_holds():
    listed = fold_list("oulu_casia")
    whole = laboratory(sorted(listed))
    parts = [whole, whole.iloc[::2], whole[whole.subject > "P030"]]
    for rows in parts:
        for seed in range(2):
            tested = subject_folds(rows, 10, 0.15, seed, listed).query("role == 'test'").merge(rows, on="sample_id")
            assert len(tested) == len(rows)
            assert (tested.subject.map(listed) == tested.fold).all()


def test_a_subject_that_the_list_lacks_is_named():
    with pytest.raises(DataError, match="lacks 1 subjects of the data: S101; its names are such as S001"):
        subject_folds(laboratory(names(101)), 10, 0.15, 0, fold_list("mmi"))


def test_a_listed_fold_without_data_is_left_out_with_a_warning(caplog):
    split = subject_folds(laboratory(names(38)[::10] + names(38)[1::10]), 10, 0.4, 0, fold_list("mmi"))
    assert set(split.fold) == {0, 1}
    assert "folds [2, 3, 4, 5, 6, 7, 8, 9]" in caplog.text


def test_the_number_of_folds_must_be_that_of_the_list():
    with pytest.raises(ParameterError, match=r"protocol\.folds is 5, the fold list has 10"):
        subject_folds(laboratory(names(20)), 5, 0.15, 0, fold_list("mmi"))


def test_an_unknown_list_is_an_error_that_names_the_known_ones():
    with pytest.raises(ParameterError, match="ck_plus, mmi, oulu_casia"):
        fold_list("jaffe")


def images(count=500):
    rows = laboratory([f"x{number}" for number in range(count // 6)]).assign(subject=None)
    rows["partition"] = np.where(np.arange(len(rows)) % 5, "train", "test")
    return rows


def test_image_folds_are_stratified_over_both_partitions():
    rows = images()
    split = image_folds(rows, 10, 0.15, 0, {})
    tested = split[split.role == "test"].merge(rows, on="sample_id")
    assert sorted(tested.sample_id) == sorted(rows.sample_id)
    assert set(tested.partition) == {"train", "test"}
    counts = pd.crosstab(tested.fold, tested.expression)
    assert (counts.max() - counts.min()).max() <= 1
    for fold in each_fold(rows, split):
        assert set(fold.role) == {"train", "val", "test"}


@pytest.mark.parametrize("seed", range(3))
def test_byte_identical_images_have_the_same_role_in_every_fold(seed):
    rows = images()
    generator = np.random.default_rng(seed)
    content = {name: f"h{generator.integers(300)}" for name in rows.sample_id[::2]}
    split = image_folds(rows, 10, 0.15, seed, content)
    split["content"] = split.sample_id.map(content)
    assert split.groupby(["fold", "content"])["role"].nunique().max() == 1
    again = image_folds(rows.sample(frac=1, random_state=2), 10, 0.15, seed, content)
    pd.testing.assert_frame_equal(in_order(split.drop(columns="content")), in_order(again))
