"""Wrong files of other programs: each one is one error that says the file, the value and what to do."""

import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.evaluation.foreign import foreign_predictions, read_predictions
from openfer.evaluation.results_table import results_table

CLASSES = ("neutral", "happiness", "fear")
ROWS = pd.DataFrame(
    {
        "sample_id": [f"s{i}" for i in range(8)],
        "dataset": "faces",
        "subject": [*"aabbccdd"],
        "licence": "research only",
        "expression": ["neutral", "happiness", "fear", "neutral", "happiness", None, "fear", "neutral"],
    }
)
SPLIT = pd.DataFrame({"sample_id": ROWS["sample_id"], "fold": 0, "role": ["train", "train", *["test"] * 6]})
"""Six are tested, s2 to s7; s5 has no label."""


def predicted(*ids):
    """A file as another program would write it, in an order of its own."""
    names = ids or ("s7", "s6", "s4", "s3", "s2")
    shares = np.tile([0.6, 0.3, 0.1], (len(names), 1))
    return pd.DataFrame({"sample_id": names, **{f"p_{c}": shares[:, i] for i, c in enumerate(CLASSES)}})


def taken(table, rows=ROWS, split=SPLIT):
    return foreign_predictions(table, rows, split, "rival", "rival.csv")


def test_a_right_file_becomes_a_predictions_table_in_the_split_s_order():
    table, facts = taken(predicted())
    assert table["sample_id"].tolist() == ["s2", "s3", "s4", "s6", "s7"]
    assert table["y_true"].tolist() == ["fear", "neutral", "happiness", "fear", "neutral"]
    assert set(table["y_pred"]) == {"neutral"}
    assert table["subject"].tolist() == ["b", "b", "c", "d", "d"]
    results = results_table(table, [facts])
    assert results[["name", "n", "accuracy", "tested_on"]].iloc[0].tolist() == ["RIVAL", 5, 0.4, "test"]


def test_images_may_be_named_by_their_path():
    rows = ROWS.assign(path=[f"img/{i}.jpg" for i in range(8)])
    paths = predicted().assign(path=[f"./img/{i}.jpg" for i in (7, 6, 4, 3, 2)]).drop(columns="sample_id")
    assert taken(paths, rows)[0].equals(taken(predicted())[0])
    with pytest.raises(DataError, match=r"has 1 paths .* the first 'x\.jpg'; .* like 'img/0\.jpg'"):
        taken(paths.replace({"path": {"./img/7.jpg": "x.jpg"}}), rows)
    with pytest.raises(DataError, match=r"img/0\.jpg has several rows; give the column sample_id"):
        taken(paths, rows.assign(path="img/0.jpg"))


def test_answers_that_are_not_the_most_probable_class_and_the_way_of_selection_are_taken_over():
    table, facts = taken(predicted().assign(y_pred=["fear", *["happiness"] * 4], selection="oracle_test"))
    assert table["y_pred"].tolist() == [*["happiness"] * 4, "fear"]
    assert set(table["selection"]) == {"oracle_test"} == {facts["selection"]}


def test_a_prediction_of_a_tested_face_without_a_label_is_not_read():
    table, _ = taken(pd.concat([predicted(), predicted("s5")]))
    assert len(table) == 5


def test_each_sample_is_scored_in_the_fold_that_tests_it():
    folds = pd.concat([SPLIT.assign(fold=fold) for fold in (0, 1)], ignore_index=True)
    folds["role"] = ["test"] * 4 + ["train"] * 8 + ["test"] * 4
    table, _ = taken(predicted("s0", "s1", "s2", "s3", "s4", "s6", "s7"), split=folds)
    assert dict(zip(table["sample_id"], table["fold"], strict=True)) == {
        **dict.fromkeys(("s0", "s1", "s2", "s3"), 0),
        **dict.fromkeys(("s4", "s6", "s7"), 1),
    }


def test_where_no_face_is_tested_the_validation_side_is():
    split = SPLIT.replace({"role": {"test": "val"}})
    assert taken(predicted(), split=split)[1]["tested_on"] == "val"


WRONG = {
    "no ids": (
        lambda t: t.rename(columns={"sample_id": "image"}),
        "has no column sample_id or path, it has image, p_neutral, p_happiness, p_fear; ids and paths are in "
        "the rows of faces",
    ),
    "missing class": (
        lambda t: t.drop(columns="p_fear"),
        "has no column p_fear, and 2 tested faces of faces show fear; give one column for each of neutral, happiness, "
        "fear, with 0 in those",
    ),
    "unknown class": (
        lambda t: t.rename(columns={"p_happiness": "p_happy"}),
        "has the column p_happy, and 'happy' is no expression; did you mean 'happiness'",
    ),
    "duplicate row": (
        lambda t: pd.concat([t, t[1:2]]),
        "has 1 rows of samples that it had before, the first s6; give one row per sample",
    ),
    "unknown sample": (
        lambda t: t.replace({"sample_id": {"s3": "x3"}}),
        "has 1 samples that faces does not have, the first 'x3'; the ids are in its rows",
    ),
    "a training face": (
        lambda t: pd.concat([t, predicted("s0")]),
        "has 1 samples that faces does not test, the first s0; leave the faces out that train or select",
    ),
    "missing samples": (
        lambda t: t[2:],
        "lacks 2 of the 5 tested samples of faces, the first s6; a score on the others is not comparable",
    ),
    "sum": (
        lambda t: t.assign(p_fear=[0.1, 0.1, 0.1, 0.1, 0.5]),
        "has 1 rows whose probabilities do not sum to 1, the first of sample s2: 1.4; apply a softmax",
    ),
    "percentages": (
        lambda t: t.assign(p_neutral=60.0),
        r"has 60\.0 in p_neutral of sample s2; .* divide percentages by 100",
    ),
    "words": (lambda t: t.assign(p_neutral=["0.6", "?", *["0.6"] * 3]), r"has \? in p_neutral of sample s6"),
    "no number": (lambda t: t.assign(p_fear=np.nan), "has nan in p_fear of sample s2; probabilities are numbers"),
    "unknown label": (
        lambda t: t.assign(y_pred=["neutral", "sad", *["neutral"] * 3]),
        "has the y_pred 'sad' of sample s6, which is none of its classes; did you mean 'sadness'",
    ),
    "unknown true label": (lambda t: t.assign(y_true="glad"), "has the y_true 'glad' of sample s2, which is none"),
    "another label": (
        lambda t: t.assign(y_true="neutral"),
        "has 3 true labels that are not those of faces, the first of sample s2: neutral, there fear",
    ),
    "selection": (
        lambda t: t.assign(selection="best"),
        r"has \['best'\] in the column selection; give the one way .* last, best_val, oracle_test",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_is_one_error_with_the_file_the_value_and_what_to_do(wrong):
    spoil, words = WRONG[wrong]
    with pytest.raises(DataError, match=r"^rival\.csv " + words):
        taken(spoil(predicted()))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_files_are_read_as_they_were_written_and_ids_of_digits_stay_words(tmp_path, suffix):
    table = predicted("001", "1e5")
    file = tmp_path / f"rival{suffix}"
    table.to_csv(file, index=False) if suffix == ".csv" else table.to_parquet(file)
    pd.testing.assert_frame_equal(read_predictions(file), table)


def test_a_file_that_is_not_there_damaged_or_of_another_kind_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*rival\.csv.*; give the path"):
        read_predictions(tmp_path / "rival.csv")
    for name, words in (("a.parquet", "cannot be read as parquet"), ("a.csv", "cannot be read as csv")):
        (tmp_path / name).write_bytes(b"" if name == "a.csv" else b"PAR1 not so")
        with pytest.raises(DataError, match=words):
            read_predictions(tmp_path / name)
    (tmp_path / "a.xlsx").write_bytes(b"x")
    with pytest.raises(DataError, match=r"is a \.xlsx; predictions are read from \.parquet or \.csv"):
        read_predictions(tmp_path / "a.xlsx")
