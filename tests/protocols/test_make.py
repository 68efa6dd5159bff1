import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from tests.protocols.people import laboratory, names

from openfer.errors import DataError
from openfer.protocols.challenge import challenge_split
from openfer.protocols.config import DatasetProtocol
from openfer.protocols.fold_lists import fold_list
from openfer.protocols.make import columns_of, make_split
from openfer.protocols.official import official_split
from openfer.seeds import generator_for


@pytest.fixture
def rows():
    table = laboratory(names(40))
    table["partition"] = ["test" if subject > "S030" else "train" for subject in table.subject]
    table["identity"] = table["subject"]
    table["subsets"] = [["pose30", "pose45"] if number % 6 == 0 else ["occlusion"] for number in range(len(table))]
    table.loc[::5, "subsets"] = None
    return table


def made(rows, **protocol):
    return make_split(rows, {}, DatasetProtocol(**protocol))


def test_the_default_is_the_official_split(rows):
    pd.testing.assert_frame_equal(made(rows), official_split(rows, 0.15, 0))


@pytest.mark.parametrize(
    "protocol",
    [
        {},
        {"subset": "pose30"},
        {"kind": "subject_folds", "folds": 3},
        {"kind": "image_folds", "folds": 3},
        {"kind": "holdout"},
        {"kind": "test_only"},
        {"task": "valence"},
        {"kind": "holdout", "task": "attributes"},
    ],
)
def test_the_columns_named_are_all_that_a_split_looks_at(rows, protocol):
    wide = rows.assign(valence=np.linspace(-1, 1, len(rows)), gender="female", path=rows.sample_id)
    wide["attributes"] = [["Smiling"] if number % 3 else None for number in range(len(rows))]
    narrow = wide[columns_of(DatasetProtocol(**protocol))]
    assert len(narrow.columns) < len(wide.columns) - 2
    pd.testing.assert_frame_equal(made(narrow, **protocol), made(wide, **protocol))


def test_a_challenge_keeps_training_and_tests_on_its_list_only(rows):
    split, whole = made(rows, subset="pose30"), official_split(rows, 0.15, 0)
    listed = {
        name
        for name, lists in zip(rows.sample_id, rows.subsets, strict=True)
        if lists is not None and "pose30" in lists
    }
    learned = whole[whole.role != "test"].reset_index(drop=True)
    pd.testing.assert_frame_equal(split[split.role != "test"].reset_index(drop=True), learned)
    assert set(split[split.role == "test"].sample_id) == listed & set(whole[whole.role == "test"].sample_id) != set()


def test_listed_images_that_do_not_test_are_counted(rows, caplog):
    challenge_split(rows, "pose30", 0.15, 0)
    assert "images on the list pose30 are not labelled test images" in caplog.text


def test_an_unknown_list_is_an_error_that_counts_the_known_ones(rows):
    with pytest.raises(DataError, match=r"list 'night'; the rows are on occlusion \(\d+ rows\), pose30 \(\d+ rows\)"):
        made(rows, subset="night")
    with pytest.raises(DataError, match="the rows are on none at all"):
        made(rows.assign(subsets=None), subset="occlusion")


def test_rows_without_partitions_are_told_of_folds(rows):
    with pytest.raises(DataError, match=r"have no partition.*to train on them `\{kind: subject_folds\}`"):
        made(rows.assign(partition=None))


def test_lists_are_taken_by_the_name_of_the_dataset_or_by_their_own(rows):
    named = made(rows.assign(dataset="mmi"), kind="subject_folds", lists=True)
    chosen = made(rows, kind="subject_folds", lists="mmi")
    tested = named[named.role == "test"].merge(rows, on="sample_id")
    assert (tested.subject.map(fold_list("mmi")) == tested.fold).all()
    pd.testing.assert_frame_equal(named[named.role == "test"], chosen[chosen.role == "test"])


def test_rows_of_two_datasets_follow_no_list(rows):
    with pytest.raises(DataError, match="rows of 2 datasets"):
        made(pd.concat([rows, rows.assign(dataset="mmi")]), kind="subject_folds", lists=True)


@pytest.mark.parametrize("kind", ["subject_folds", "image_folds"])
def test_folds_are_as_many_as_asked_for(rows, kind):
    assert set(made(rows, kind=kind, folds=4).fold) == {0, 1, 2, 3}


def test_where_test_labels_are_secret_the_published_validation_tests(rows):
    rows["partition"] = ["val" if side == "test" else side for side in rows["partition"]]
    rows.loc[:13, ["partition", "expression"]] = ["test", None]
    split = made(rows, tested="val").merge(rows, on="sample_id")
    assert set(split.loc[split.partition == "val", "role"]) == {"test"}
    assert set(split.loc[split.partition == "train", "role"]) == {"train", "val"}
    assert not (split.partition == "test").any()


def test_a_set_for_testing_only_has_no_other_role(rows):
    rows.loc[:4, "expression"] = None
    split = made(rows.assign(partition=None), kind="test_only")
    assert set(split["role"]) == {"test"}
    assert split["sample_id"].tolist() == rows["sample_id"][5:].tolist()
    with pytest.raises(DataError, match="nothing to test"):
        made(rows.assign(expression=None), kind="test_only")


@pytest.mark.parametrize("protocol", [{}, {"kind": "subject_folds", "folds": 3}, {"kind": "image_folds", "folds": 3}])
def test_without_a_share_for_validation_all_training_images_train(rows, protocol):
    held, all_of_them = (made(rows, validation_share=share, **protocol) for share in (0.2, 0))
    assert set(all_of_them["role"]) == {"train", "test"}
    keys = ["sample_id", "fold"]
    tested = [split.loc[split["role"] == "test", keys].reset_index(drop=True) for split in (held, all_of_them)]
    assert tested[0].equals(tested[1])
    assert len(held) == len(all_of_them)


def test_a_holdout_has_no_test_role(rows):
    assert set(made(rows, kind="holdout").role) == {"train", "val"}


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        ({"kind": "subject_folds", "subset": "occlusion"}, "set kind: official"),
        ({"kind": "holdout", "tested": "val"}, "remove tested"),
        ({"lists": True}, "set kind: subject_folds"),
        ({"kind": "subject_folds", "lists": "jaffe"}, "the lists are ck_plus, mmi, oulu_casia"),
        ({"kind": "holdout", "validation_share": 0.6}, r"at most 0\.5"),
        ({"kind": "holdout", "validation_share": 0}, "more than 0"),
        ({"kind": "random"}, "kind"),
        ({"near_duplicate_bits": -1}, "near_duplicate_bits"),
    ],
)
def test_contradictions_are_refused(protocol, message):
    with pytest.raises(ValidationError, match=message):
        DatasetProtocol(**protocol)


def labelled_otherwise() -> pd.DataFrame:
    generator = generator_for(0, "otherwise")
    count = 200
    rows = pd.DataFrame({"sample_id": [f"s{i:03d}" for i in range(count)], "dataset": "d", "subject": None})
    rows["partition"] = ["test" if i % 5 == 0 else "train" for i in range(count)]
    rows["valence"] = generator.uniform(-1, 1, count)
    rows["gender"] = generator.choice(["male", "female"], count)
    return rows.assign(expression=None, attributes=[["Smiling"]] * count)


def test_rows_with_valence_alone_are_split_and_balanced() -> None:
    rows = labelled_otherwise()
    rows.loc[:9, "valence"] = None
    split = make_split(rows, {}, DatasetProtocol(task="valence")).merge(rows, on="sample_id")
    assert len(split) == 190
    quarters = pd.crosstab(split["role"], pd.cut(split["valence"], [-1, -0.5, 0, 0.5, 1]), normalize="index")
    assert (quarters.loc["val"] - quarters.loc["train"]).abs().max() < 0.05


def test_rows_with_attributes_alone_are_split() -> None:
    split = make_split(labelled_otherwise(), {}, DatasetProtocol(task="attributes"))
    assert split["role"].value_counts().index.tolist() == ["train", "test", "val"]
    with pytest.raises(DataError, match="with a label of expression"):
        make_split(labelled_otherwise(), {}, DatasetProtocol())


@pytest.mark.parametrize("kind", ["official", "image_folds"])
def test_copies_of_one_image_share_a_side_where_nobody_knows_the_people(kind: str) -> None:
    generator = generator_for(0, "copies")
    rows = labelled_otherwise()
    rows["expression"] = generator.choice(["neutral", "anger"], len(rows))
    sha256 = {name: f"content{number % 60}" for number, name in enumerate(rows["sample_id"])}
    split = make_split(rows, sha256, DatasetProtocol(kind=kind, folds=4)).query("role != 'test' and fold == 0")
    sides = split["role"].groupby(split["sample_id"].map(sha256)).nunique()
    assert sides.max() == 1
    assert set(split["role"]) == {"train", "val"}
