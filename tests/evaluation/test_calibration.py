import numpy as np
import pandas as pd
import pytest
from random_runs import CLASSES, codes, probabilities, random_run

from openfer.errors import DataError
from openfer.evaluation.calibration import error_of, reliability
from openfer.evaluation.figures import reliability_picture
from openfer.evaluation.predictions import predictions_table

RUN = {"fold": 0, "seed": 0, "method": "m", "variant": "m", "selection": "last", "task": "expression"}


def of(sure, right):
    shares = np.column_stack([sure, 1 - np.asarray(sure)])
    true = ["neutral" if hit else "fear" for hit in right]
    return predictions_table([f"s{i}" for i in range(len(sure))], shares, ("neutral", "fear"), true, **RUN)


def test_the_error_is_the_one_worked_out_by_hand():
    """Five bins: (0.4, 0.6] holds 0.55 and 0.6, half right; (0.8, 1] holds 0.9 three times and 1.0, three right."""
    table = reliability(of([0.55, 0.6, 0.9, 0.9, 0.9, 1.0], [1, 0, 1, 1, 0, 1]), bins=5)
    assert table["n"].tolist() == [0, 0, 2, 0, 4]
    np.testing.assert_allclose(table["confidence"][[2, 4]], [0.575, 0.925])
    np.testing.assert_allclose(table["accuracy"][[2, 4]], [0.5, 0.75])
    assert table["accuracy"][[0, 1, 3]].isna().all()
    assert error_of(table) == pytest.approx(2 / 6 * 0.075 + 4 / 6 * 0.175)


def test_the_seeds_of_a_method_are_pooled():
    first, second = of([0.55, 0.6, 0.9], [1, 0, 1]), of([0.55, 0.95], [0, 1])
    table = reliability(pd.concat([first, second.assign(seed=1)]), bins=5)
    assert table["n"].tolist() == [0, 0, 3, 0, 2]
    np.testing.assert_allclose(table["accuracy"][[2, 4]], [1 / 3, 1])


@pytest.mark.parametrize("bins", [10, 15])
def test_the_error_is_torchmetrics_on_random_predictions(bins):
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

    run = random_run()
    shares, true = torch.tensor(probabilities(run)), torch.tensor(codes(run)[0])
    theirs = multiclass_calibration_error(shares, true, num_classes=len(CLASSES), n_bins=bins)
    assert error_of(reliability(run, bins)) == pytest.approx(float(theirs), abs=1e-6)


def test_bins_are_those_of_scikit_learn():
    from sklearn.calibration import calibration_curve

    run = random_run()
    true, predicted = codes(run)
    accuracy, confidence = calibration_curve(true == predicted, probabilities(run).max(axis=1), n_bins=15)
    table = reliability(run).dropna()
    np.testing.assert_allclose(table["accuracy"], accuracy)
    np.testing.assert_allclose(table["confidence"], confidence)


def test_the_diagram_shows_accuracy_confidence_and_n_of_every_bin():
    table = reliability(of([0.55, 0.6, 0.9, 0.9, 0.9, 1.0], [1, 0, 1, 1, 0, 1]), bins=5)
    other = table.assign(accuracy=table["accuracy"] / 2)
    figure = reliability_picture({"ADDL": table, "SCN": other})
    above, below = figure.axes
    diagonal, line, _ = above.lines
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 1]
    np.testing.assert_allclose(line.get_ydata(), [0.5, 0.75])
    np.testing.assert_allclose(line.get_xdata(), [0.575, 0.925])
    assert above.get_legend_handles_labels()[1][1] == "ADDL, calibration error 0.142"
    assert below.patches[0].get_data().values.tolist() == [0, 0, 2, 0, 4]
    assert figure.get_suptitle() == "Reliability of expression, n = 6"


def test_an_answer_without_a_probability_is_refused():
    run = random_run(5).assign(p_fear=np.nan, y_pred="fear")
    with pytest.raises(DataError, match=r"lack the columns \['fear'\]"):
        reliability(run)
    one = random_run(5).astype({"y_pred": object})
    one.loc[3, ["y_pred", "p_fear"]] = "fear", np.nan
    with pytest.raises(DataError, match="sample s3 is answered 'fear' without a probability"):
        reliability(pd.DataFrame(one))
