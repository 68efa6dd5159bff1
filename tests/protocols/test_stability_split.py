import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError, ParameterError
from openfer.protocols.config import DatasetProtocol
from openfer.protocols.leakage import EXPECTED, LEAK, NONE_FOUND, leakage_report, refuse_shared_subjects
from openfer.protocols.make import columns_of, make_split
from openfer.protocols.stability import stability_split

SIX = ("happiness", "sadness", "surprise", "fear", "disgust", "anger")


def recordings(lengths, subjects=6, dataset="ck_plus"):
    """Sequences in turn, as CK+ has them: each person shows three of six expressions, frames count from 1."""
    table = [
        {
            "sample_id": f"{person}-{part}-{frame:02d}",
            "dataset": dataset,
            "partition": None,
            "subject": f"S{person:03d}",
            "sequence": f"S{person:03d}_{part:03d}",
            "frame": frame,
            "expression": SIX[(person + 2 * part) % 6],
        }
        for person in range(subjects)
        for part in range(3)
        for frame in range(1, lengths[(3 * person + part) % len(lengths)] + 1)
    ]
    return pd.DataFrame(table).astype({"frame": "Int64"})


@pytest.fixture
def rows():
    """Eighteen sequences of unequal lengths, the shortest ones of exactly five frames."""
    return recordings((5, 9, 23))


def test_the_peak_trains_and_the_four_frames_before_it_test(rows):
    split = stability_split(rows, 0.2, seed=0).merge(rows, on="sample_id")
    last = rows.groupby("sequence")["frame"].max()
    before = split["sequence"].map(last) - split["frame"]
    assert set(before[split["role"] == "train"]) == {0}
    assert set(before[split["role"] == "val"]) == {0}
    tested = split[split["role"] == "test"]
    assert set(before[split["role"] == "test"]) == {1, 2, 3, 4}
    assert (tested.groupby("sequence").size() == 4).all()


def test_answers_by_sequence_are_exactly_those_that_train(rows):
    split = stability_split(rows, 0.2, seed=0).merge(rows, on="sample_id").groupby("role")
    sequences, subjects = split["sequence"].agg(set), split["subject"].agg(set)
    assert sequences["train"] == sequences["test"]
    assert sequences["train"] | sequences["val"] == set(rows["sequence"])
    assert not subjects["train"] & subjects["val"]
    assert 1 <= len(subjects["val"]) <= 3


def test_the_split_depends_on_the_seed_and_not_on_the_order_of_the_rows(rows):
    split = stability_split(rows, 0.2, seed=0)
    shuffled = stability_split(rows.sample(frac=1, random_state=3), 0.2, seed=0)
    pd.testing.assert_frame_equal(shuffled.sort_values("sample_id", ignore_index=True), split)
    assert any(not stability_split(rows, 0.2, seed).equals(split) for seed in range(1, 6))


def test_sequences_that_are_too_short_get_no_role_and_are_counted(caplog):
    rows = recordings((4, 9, 23))
    split = stability_split(rows, 0.3, seed=0).merge(rows, on="sample_id")
    assert "6 of 18 sequences do not end with 5 frames in a row of one expression" in caplog.text
    lengths = rows.groupby("sequence").size()
    assert set(split["sequence"]) == set(lengths.index[lengths >= 5])


def test_a_sequence_with_a_gap_before_its_peak_gets_no_role(rows, caplog):
    """As where no face was found in one frame: the four frames before the peak are not there."""
    gone = (rows["sequence"] == "S000_002") & (rows["frame"] == 21)
    split = stability_split(rows[~gone], 0.2, seed=0).merge(rows, on="sample_id")
    assert "S000_002" not in set(split["sequence"])
    assert "1 of 18 sequences" in caplog.text


def test_neutral_first_frames_are_no_part_of_an_expression(rows, caplog):
    """`neutral: 1` labels the first frame, which is one of the last five where there are five."""
    first = rows["frame"] == 1
    split = stability_split(rows.assign(expression=rows["expression"].mask(first, "neutral")), 0.3, seed=0)
    assert "6 of 18 sequences" in caplog.text
    assert not set(split["sample_id"]) & set(rows.loc[first, "sample_id"])


def test_rows_without_a_label_get_no_role(rows, caplog):
    unlabelled = rows["subject"] == "S000"
    split = stability_split(rows.assign(expression=rows["expression"].mask(unlabelled)), 0.2, seed=0)
    assert f"{unlabelled.sum()} of {len(rows)} rows carry no expression" in caplog.text
    assert not set(split["sample_id"]) & set(rows.loc[unlabelled, "sample_id"])


def test_three_kept_frames_are_an_error_that_names_the_option():
    with pytest.raises(DataError, match=r"none of the 18 sequences of ck_plus .* the longest has 3: .*frames: all"):
        stability_split(recordings((3,)), 0.2, seed=0)


def test_photographs_are_refused(rows):
    with pytest.raises(DataError, match=r"222 of 222 labelled rows of ck_plus have no sequence or frame"):
        stability_split(rows.assign(sequence=None), 0.2, seed=0)
    with pytest.raises(DataError, match="none of the 222 rows has a label of expression"):
        stability_split(rows.assign(expression=None), 0.2, seed=0)


def test_a_frame_twice_and_one_class_alone_and_a_wrong_share_are_refused(rows):
    twice = pd.concat([rows, rows.iloc[[7]].assign(sample_id="again")])
    with pytest.raises(DataError, match=r"S000_001 of ck_plus has frame 3 more than once, such as sample again"):
        stability_split(twice, 0.2, seed=0)
    with pytest.raises(DataError, match=r"all 18 sequences have the same expression \(fear\)"):
        stability_split(rows.assign(expression="fear"), 0.2, seed=0)
    with pytest.raises(ParameterError, match="validation_share is 1"):
        stability_split(rows, 1, seed=0)


def test_a_dataset_asks_for_it_by_its_protocol(rows):
    protocol = DatasetProtocol(kind="stability", validation_share=0.2)
    assert {"sequence", "frame", "subject"} <= set(columns_of(protocol))
    wide = rows.assign(path="x", valence=np.nan)
    pd.testing.assert_frame_equal(
        make_split(wide[columns_of(protocol)], {}, protocol), stability_split(rows, 0.2, seed=0)
    )


def reported(rows, split, hashes=None, pairs=None):
    hashes = hashes or {name: f"hash-{name}" for name in rows["sample_id"]}
    report = leakage_report(rows, split, hashes, pairs=pairs, sequences_shared=True)
    refuse_shared_subjects(report)
    return report.set_index(["kind", "roles"])


def test_the_report_says_what_train_and_test_share_by_design(rows):
    split = stability_split(rows, 0.2, seed=0)
    report = reported(rows, split)
    trained = rows[rows["sample_id"].isin(split.loc[split["role"] == "train", "sample_id"])]
    for kind, column in (("subject", "subject"), ("sequence", "sequence")):
        line = report.loc[(kind, "train/test")]
        assert line["verdict"] == EXPECTED
        assert line["shared"] == trained[column].nunique()
        assert line["count"] == (split["role"] == "test").sum()
        for roles in ("train/val", "val/test"):
            assert report.loc[(kind, roles), "verdict"] == NONE_FOUND
    assert set(report.loc["exact_duplicate", "verdict"]) == {NONE_FOUND}


def test_neighbouring_frames_look_alike_by_design_and_equal_ones_are_a_leak(rows):
    split = stability_split(rows, 0.2, seed=0)
    train, val = (split.loc[split["role"] == role, "sample_id"].iloc[0] for role in ("train", "val"))
    before = f"{train[:-2]}{int(train[-2:]) - 1:02d}"
    pairs = pd.DataFrame({"sample_id_1": [before, train], "sample_id_2": [train, val], "distance": 5})
    report = reported(rows, split, pairs=pairs)
    assert report.loc[("near_duplicate", "train/test"), ["count", "verdict"]].tolist() == [1, EXPECTED]
    assert report.loc[("near_duplicate", "train/val"), "verdict"] == LEAK
    equal = {name: "same" if name in (train, before) else name for name in rows["sample_id"]}
    assert reported(rows, split, equal).loc[("exact_duplicate", "train/test"), "verdict"] == LEAK


def test_a_person_on_the_validation_side_too_is_a_leak(rows):
    split = stability_split(rows, 0.2, seed=0)
    held = split.index[split["role"] == "val"][0]
    report = reported(rows, split.assign(role=split["role"].where(split.index != held, "train")))
    assert report.loc[("subject", "train/val"), "verdict"] == LEAK
