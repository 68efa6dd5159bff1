import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError, ParameterError
from openfer.labels import BASIC_EXPRESSIONS
from openfer.protocols.config import DatasetProtocol
from openfer.protocols.counts import split_counts
from openfer.protocols.make import refuse_unfit
from openfer.protocols.official import official_split
from openfer.schemas import SPLIT


def people(subjects=40, images=14, partition="train", prefix="a", known=True):
    """Rows of a small dataset: every subject shows the seven expressions in turn."""
    table = [
        {
            "sample_id": f"{prefix}{subject:03d}-{image:02d}",
            "dataset": "toy",
            "subject": f"{prefix}{subject:03d}" if known else None,
            "partition": partition,
            "expression": BASIC_EXPRESSIONS[image % 7],
        }
        for subject in range(subjects)
        for image in range(images)
    ]
    return pd.DataFrame(table)


@pytest.fixture
def rows():
    return pd.concat([people(), people(10, partition="test", prefix="t")], ignore_index=True)


def roles_of(rows, split):
    return rows.merge(split, on="sample_id", validate="one_to_one")


def test_every_row_gets_the_role_of_its_partition_and_validation_comes_from_training_only(rows):
    split = official_split(rows, 0.15, seed=0)
    SPLIT.validate(split)
    joined = roles_of(rows, split)
    assert len(joined) == len(rows)
    assert set(joined.loc[joined.partition == "test", "role"]) == {"test"}
    assert set(joined.loc[joined.partition == "train", "role"]) == {"train", "val"}
    assert (split.fold == 0).all()


def test_no_subject_is_both_in_training_and_in_validation(rows):
    joined = roles_of(rows, official_split(rows, 0.15, seed=3))
    assert joined.groupby("subject")["role"].nunique().max() == 1


def test_validation_has_the_share_asked_for_in_every_class(rows):
    joined = roles_of(rows, official_split(rows, 0.15, seed=1)).query("partition == 'train'")
    share = (joined.role == "val").groupby(joined.expression).mean()
    np.testing.assert_allclose(share, 0.15, atol=0.5 / 40)


def test_rare_classes_reach_validation_when_subjects_show_few_expressions():
    generator = np.random.default_rng(0)
    rows = people(60, 10)
    rows["expression"] = generator.choice(["happiness", "neutral", "fear"], len(rows), p=[0.7, 0.25, 0.05])
    rows = pd.concat([rows, people(4, partition="test", prefix="t")], ignore_index=True)
    joined = roles_of(rows, official_split(rows, 0.2, seed=0)).query("partition == 'train'")
    share = (joined.role == "val").groupby(joined.expression).mean()
    np.testing.assert_allclose(share[["happiness", "neutral"]], 0.2, atol=0.03)
    assert abs(share["fear"] - 0.2) * (rows.expression == "fear").sum() < 1.5  # whole subjects: to about one image


def test_without_known_subjects_single_images_are_stratified_by_class():
    rows = pd.concat([people(known=False), people(5, partition="test", prefix="t", known=False)], ignore_index=True)
    joined = roles_of(rows, official_split(rows, 0.1, seed=0)).query("partition == 'train'")
    assert (joined.role == "val").groupby(joined.expression).sum().eq(8).all()


def test_the_split_is_the_same_for_the_same_seed_and_for_any_order_of_rows(rows):
    first = official_split(rows, 0.15, seed=5)
    shuffled = official_split(rows.sample(frac=1, random_state=1), 0.15, seed=5)
    pd.testing.assert_frame_equal(
        first.sort_values("sample_id", ignore_index=True), shuffled.sort_values("sample_id", ignore_index=True)
    )
    assert not first.equals(official_split(rows, 0.15, seed=6))


def test_a_published_validation_partition_is_used_and_nothing_is_carved(rows):
    rows = pd.concat([rows, people(3, partition="val", prefix="v")], ignore_index=True)
    joined = roles_of(rows, official_split(rows, 0.15, seed=0))
    assert (joined.role == joined.partition).all()


def test_rows_without_the_label_are_left_out_and_counted(rows, caplog):
    rows.loc[[0, 1, 600], "expression"] = None
    split = official_split(rows, 0.15, seed=0)
    assert not set(rows.loc[[0, 1, 600], "sample_id"]) & set(split.sample_id)
    assert f"3 of {len(rows)} rows carry no expression" in caplog.text
    counts = split_counts(rows, split).set_index("class")
    assert counts.loc["(no label)", "excluded"] == 3
    assert counts.loc["(all)", ["train", "val", "test", "excluded"]].sum() == len(rows)
    assert counts.loc["(subjects)", "test"] == 10


def test_assigned_names_that_no_row_has_are_not_counted(rows):
    split = official_split(rows, 0.2, 0)
    stranger = pd.DataFrame({"sample_id": ["nobody"], "fold": 0, "role": "test"})
    pd.testing.assert_frame_equal(split_counts(rows, pd.concat([split, stranger])), split_counts(rows, split))


def test_the_same_subject_name_in_two_datasets_is_two_people():
    rows = people(2, 7)
    other = people(2, 7).assign(dataset="other")
    other["sample_id"] = "o" + other["sample_id"]
    rows = pd.concat([rows, other, people(2, partition="test", prefix="t")], ignore_index=True)
    joined = roles_of(rows, official_split(rows, 0.25, seed=0))
    assert (joined.role == "val").sum() == 7


def test_no_rows_is_an_error_that_says_what_to_do(rows):
    with pytest.raises(DataError, match="no rows to split; run the dataset's own pipeline"):
        official_split(rows.iloc[:0], 0.15, seed=0)


def test_no_test_rows_is_an_error_that_names_the_partition(rows):
    with pytest.raises(DataError, match=r"in the partition test; set `protocol: \{kind: subject_folds\}`"):
        official_split(rows[rows.partition == "train"], 0.15, seed=0)


def test_only_train_and_validation_or_only_test_say_which_protocol_to_set(rows):
    with pytest.raises(DataError, match=r"in the partition test; set `protocol: \{tested: val\}`"):
        refuse_unfit(rows.assign(partition=rows.partition.replace("test", "val")), DatasetProtocol())
    with pytest.raises(DataError, match=r"in the partition train; set `protocol: \{kind: test_only\}`"):
        refuse_unfit(rows[rows.partition == "test"], DatasetProtocol())
    with pytest.raises(DataError, match=r"have no partition.* `protocol: \{kind: test_only\}` to test models"):
        refuse_unfit(rows.assign(partition=None), DatasetProtocol())
    refuse_unfit(rows.assign(partition=None), DatasetProtocol(kind="test_only"))


def test_one_class_only_is_an_error_that_names_the_class(rows):
    with pytest.raises(DataError, match=r"same expression \(fear\)"):
        official_split(rows.assign(expression="fear"), 0.15, seed=0)


def test_a_share_that_no_whole_subject_fits_is_an_error_that_says_how_large_subjects_are():
    rows = pd.concat([people(2), people(2, partition="test", prefix="t")], ignore_index=True)
    with pytest.raises(
        DataError, match=r"for validation: the 28 training rows have 2 subjects .* of 14 to 14 images; raise it"
    ):
        official_split(rows, 0.1, seed=0)


def test_an_unknown_partition_is_an_error_that_names_it(rows):
    with pytest.raises(DataError, match=r"\['dev'\]"):
        official_split(rows.assign(partition=rows.partition.replace("test", "dev")), 0.15, seed=0)


@pytest.mark.parametrize("share", [1, -0.1, 15])
def test_a_share_outside_zero_and_one_is_a_parameter_error(rows, share):
    with pytest.raises(ParameterError, match="from 0 to below 1"):
        official_split(rows, share, seed=0)
