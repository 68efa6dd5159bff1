import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.evaluation.predictions import classes_in, predictions_table, runs_in, single_run
from openfer.schemas import PREDICTIONS

RUN = {"fold": 0, "seed": 0, "method": "addl", "variant": "ADDL", "selection": "last", "task": "expression"}
CLASSES = ("neutral", "happiness", "fear")
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], dtype=np.float32)


def test_the_table_is_valid_and_its_prediction_is_the_most_probable_class():
    table = predictions_table(["a", "b"], PROBABILITIES, CLASSES, ["neutral", "happiness"], **RUN)
    PREDICTIONS.validate(table)
    assert table.y_pred.tolist() == ["neutral", "fear"]
    assert table.y_true.tolist() == ["neutral", "happiness"]
    np.testing.assert_allclose(table[["p_neutral", "p_happiness", "p_fear"]], PROBABILITIES)


def test_the_table_survives_parquet(tmp_path):
    table = predictions_table(["a", "b"], PROBABILITIES, CLASSES, ["neutral", "happiness"], **RUN)
    table.to_parquet(tmp_path / "predictions.parquet")
    pd.testing.assert_frame_equal(PREDICTIONS.validate(pd.read_parquet(tmp_path / "predictions.parquet")), table)


def test_a_probability_just_above_one_is_rounding_and_not_an_error():
    almost = np.array([[1 + 1e-7, 0, 0]], dtype=np.float32)
    assert predictions_table(["a"], almost, CLASSES, ["fear"], **RUN).p_neutral[0] == 1


@pytest.mark.parametrize("bad", [[2.0, -1.0, 0.0], [np.nan, 0.5, 0.5], [0.1, 0.1, 0.1]])
def test_logits_and_nan_are_refused_with_the_sample_named(bad):
    with pytest.raises(DataError, match="1 rows are not probabilities, the first b"):
        predictions_table(["a", "b"], np.array([[1, 0, 0], bad]), CLASSES, ["fear", "fear"], **RUN)


def test_shapes_that_do_not_match_are_refused():
    with pytest.raises(DataError, match=r"shape \(2, 3\).*expected \(3, 3\)"):
        predictions_table(["a", "b", "c"], PROBABILITIES, CLASSES, ["fear"] * 3, **RUN)


@pytest.mark.parametrize("label", ["contempt", None])
def test_a_true_label_that_is_not_a_class_is_refused(label):
    with pytest.raises(DataError, match="1 labels are not classes"):
        predictions_table(["a", "b"], PROBABILITIES, CLASSES, ["fear", label], **RUN)


def test_runs_and_their_classes_are_found_in_a_table_of_several_tasks():
    one = predictions_table(["a", "b"], PROBABILITIES, CLASSES, ["neutral", "fear"], **RUN)
    other = predictions_table(
        ["a"], np.array([[0.4, 0.6]]), ("male", "female"), ["male"], **(RUN | {"task": "gender", "method": "dfem"})
    )
    found = list(runs_in(pd.concat([one, other])))
    assert [name["task"] for name, _ in found] == ["expression", "gender"]
    assert [classes_in(run) for _, run in found] == [CLASSES, ("male", "female")]


def test_a_table_of_two_seeds_is_not_a_single_run():
    table = predictions_table(["a", "b"], PROBABILITIES, CLASSES, ["neutral", "fear"], **RUN)
    with pytest.raises(DataError, match="expected the predictions of one run, found 2"):
        single_run(pd.concat([table, table.assign(seed=1)]))


def test_a_sample_in_two_folds_of_one_run_is_refused():
    table = predictions_table(["a", "b"], PROBABILITIES, CLASSES, ["neutral", "fear"], **RUN)
    with pytest.raises(DataError, match=r"2 samples .* predicted more than once, the first a"):
        single_run(pd.concat([table, table.assign(fold=1)]))
