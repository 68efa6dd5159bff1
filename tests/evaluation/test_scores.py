import numpy as np
import pandas as pd
import pytest
from random_runs import codes, random_run

from openfer.errors import DataError
from openfer.evaluation.scores import confusion, per_class, score_runs, summarise

CLASSES = ("neutral", "happiness", "fear")


def table_of(confusion, classes=CLASSES, **run):
    """A predictions table with the given confusion counts; samples are numbered cell by cell."""
    pairs = [
        (true, predicted)
        for true, counts in zip(classes, confusion, strict=True)
        for predicted, count in zip(classes, counts, strict=True)
        for _ in range(count)
    ]
    table = pd.DataFrame(pairs, columns=["y_true", "y_pred"])
    table["sample_id"] = [f"s{i:05d}" for i in range(len(table))]
    defaults = {"fold": 0, "seed": 0, "method": "addl", "variant": "ADDL", "selection": "last", "task": "expression"}
    table = table.assign(**(defaults | run))
    return table.assign(**{f"p_{name}": (table.y_pred == name).astype(float) for name in classes})


def score(run):
    """The scores of one run by name."""
    return score_runs(run).iloc[0]


HAND_MADE = [[8, 2, 0], [1, 4, 0], [1, 0, 4]]
"""20 samples, 16 right. Recall .8, .8, .8; precision 8/10, 4/6, 4/4; F1 .8, 8/11, 8/9."""


def test_scores_are_the_ones_worked_out_by_hand():
    scores, by_class = score(table_of(HAND_MADE)), per_class(table_of(HAND_MADE))
    assert scores.n == 20
    assert scores["accuracy"] == 0.8
    assert scores.standard_error == pytest.approx((0.8 * 0.2 / 20) ** 0.5)
    np.testing.assert_allclose(by_class.recall, [0.8, 0.8, 0.8])
    np.testing.assert_allclose(by_class.precision, [0.8, 4 / 6, 1.0])
    np.testing.assert_allclose(by_class.f1, [0.8, 8 / 11, 8 / 9])
    assert by_class.support.tolist() == [10, 5, 5]
    assert scores["macro_f1"] == pytest.approx((0.8 + 8 / 11 + 8 / 9) / 3)
    assert scores.absent == ""


def test_confusion_has_true_names_in_rows_and_predicted_names_in_columns():
    table = confusion(table_of(HAND_MADE))
    assert table.loc["neutral", "happiness"] == 2
    assert table.loc["happiness", "neutral"] == 1
    assert (table.index.name, table.columns.name) == ("true", "predicted")


def test_nmi_of_a_two_by_two_table_is_mutual_information_over_the_mean_entropy():
    scores = score(table_of([[3, 1], [1, 3]], ("neutral", "fear")))
    # both marginals are one half, so both entropies are log 2
    mutual = 2 * 3 / 8 * np.log(3 / 8 / 0.25) + 2 * 1 / 8 * np.log(1 / 8 / 0.25)
    assert scores["nmi"] == pytest.approx(mutual / np.log(2))


@pytest.mark.parametrize(("accuracy", "low", "high"), [(0.87, 0.63, 0.68), (0.8934, 0.68, 0.73)])
def test_nmi_of_labels_is_near_the_published_values_at_the_published_accuracies_of_rafdb(accuracy, low, high):
    """RAF-DB's test set by class; each class's errors in proportion to (its support)^-1/2, and falling on other
    classes in proportion to theirs. The paper prints 0.655 for its Baseline and 0.709 for ADDL."""
    support = np.array([680, 1185, 478, 329, 74, 160, 162])
    names = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
    error = support**-0.5 * (1 - accuracy) * support.sum() / (support**0.5).sum()
    spread = np.tile(support.astype(float), (7, 1))
    np.fill_diagonal(spread, 0)
    counts = np.round(support[:, None] * error[:, None] * spread / spread.sum(axis=1, keepdims=True))
    np.fill_diagonal(counts, support - counts.sum(axis=1))
    scores = score(table_of(counts.astype(int), names))
    assert scores.n == 3068
    assert scores["accuracy"] == pytest.approx(accuracy, abs=0.002)
    assert low < scores["nmi"] < high


def test_macro_f1_is_over_the_classes_that_the_test_set_shows_and_says_which_are_absent():
    run = table_of([[3, 0, 1], [0, 4, 0], [0, 0, 0]])
    scores, by_class = score(run), per_class(run)
    assert scores.absent == "fear"
    assert scores["macro_f1"] == pytest.approx((6 / 7 + 1) / 2)
    assert np.isnan(by_class.loc["fear", "recall"])
    assert np.isnan(by_class.loc["fear", "f1"])


def test_a_class_never_predicted_counts_with_f1_zero_and_has_no_precision():
    run = table_of([[4, 0, 0], [0, 4, 0], [2, 2, 0]])
    scores, by_class = score(run), per_class(run)
    assert scores["macro_f1"] == pytest.approx((0.8 + 0.8 + 0) / 3)
    assert np.isnan(by_class.loc["fear", "precision"])
    assert by_class.loc["fear", "recall"] == 0


def test_fold_accuracy_is_the_mean_of_folds_and_accuracy_is_pooled():
    first = table_of([[9, 1], [0, 0]], ("neutral", "fear"))
    second = table_of([[0, 0], [1, 1]], ("neutral", "fear"), fold=1)
    second["sample_id"] = "t" + second["sample_id"]
    scores = score(pd.concat([first, second]))
    assert [score(fold).accuracy for fold in (first, second)] == [0.9, 0.5]
    assert scores["fold_accuracy"] == pytest.approx(0.7)
    assert scores["accuracy"] == pytest.approx(10 / 12)


def test_a_label_that_is_not_a_class_is_refused():
    with pytest.raises(DataError, match=r"labels \['fear'\], which are not among the classes"):
        score(table_of(HAND_MADE).drop(columns="p_fear"))


def test_an_empty_table_is_refused():
    with pytest.raises(DataError, match="empty"):
        score_runs(table_of(HAND_MADE).iloc[:0])


def test_one_row_per_run_in_order_of_appearance():
    predictions = pd.concat(
        [
            table_of(HAND_MADE, method="baseline", variant="Baseline"),
            table_of(HAND_MADE),
            table_of(HAND_MADE, selection="oracle_test"),
            table_of(HAND_MADE, seed=1),
        ]
    )
    runs = score_runs(predictions)
    assert runs.variant.tolist() == ["Baseline", "ADDL", "ADDL", "ADDL"]
    assert runs.selection.tolist() == ["last", "last", "oracle_test", "last"]
    assert runs.n.tolist() == [20] * 4
    assert runs.accuracy.tolist() == [0.8] * 4


def test_several_seeds_give_mean_and_sample_standard_deviation_and_keep_the_error_of_one_test_set():
    better = [[10, 0, 0], [0, 4, 1], [1, 0, 4]]
    both = pd.concat([table_of(HAND_MADE), table_of(better, seed=1)])
    runs, summary = score_runs(both), summarise(both).iloc[0]
    assert summary.seeds == 2
    assert summary.n == 20
    assert summary.accuracy == pytest.approx(0.85)
    assert summary.accuracy_std == pytest.approx(np.std([0.8, 0.9], ddof=1))
    assert summary.standard_error == pytest.approx(runs.standard_error.mean())


def test_one_seed_has_no_spread():
    assert np.isnan(summarise(table_of(HAND_MADE)).accuracy_std[0])


def test_seeds_tested_on_different_samples_are_not_averaged():
    predictions = pd.concat([table_of(HAND_MADE), table_of(HAND_MADE, seed=1).iloc[1:]])
    with pytest.raises(DataError, match="differ in n; their mean would be of different tests"):
        summarise(predictions)


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_random_predictions_are_those_of_scikit_learn(seed):
    from sklearn import metrics

    run = random_run(200, seed)
    true, predicted = codes(run)
    scores = score(run)
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(true, predicted))
    assert scores["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(true, predicted))
    assert scores["macro_f1"] == pytest.approx(metrics.f1_score(true, predicted, average="macro"))
    assert scores["nmi"] == pytest.approx(metrics.normalized_mutual_info_score(true, predicted))
    np.testing.assert_array_equal(confusion(run), metrics.confusion_matrix(true, predicted))


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_are_there():
    assert score(table_of([[9, 1, 0], [1, 1, 0], [0, 0, 0]]))["balanced_accuracy"] == pytest.approx(0.7)


def test_the_score_of_aff_wild2_is_a_third_accuracy_and_two_thirds_macro_f1():
    scores = score(table_of(HAND_MADE))
    assert scores["aff_wild2_score"] == pytest.approx(0.33 * 0.8 + 0.67 * (0.8 + 8 / 11 + 8 / 9) / 3)


def test_every_score_of_a_run_is_averaged_over_seeds():
    both = pd.concat([random_run(seed=s).assign(seed=s) for s in (0, 1)])
    runs, summary = score_runs(both), summarise(both).iloc[0]
    for name in ("balanced_accuracy", "aff_wild2_score", "calibration_error"):
        assert summary[name] == pytest.approx(runs[name].mean())
        assert summary[f"{name}_std"] == pytest.approx(runs[name].std())


def test_seeds_and_folds_of_a_method_are_one_line_and_each_seed_pools_its_folds():
    """Seed 0 has 16 of 20 right in fold 0 and 2 of 5 in fold 1, seed 1 has 18 and 4."""
    right = {(0, 0): (16, 20), (0, 1): (2, 5), (1, 0): (18, 20), (1, 1): (4, 5)}
    tables = []
    for (seed, fold), (good, n) in right.items():
        table = table_of([[good, n - good], [0, 0]], ("neutral", "fear"), seed=seed, fold=fold)
        tables.append(table.assign(sample_id=f"f{fold}" + table["sample_id"], dataset="mmi"))
    (line,) = summarise(pd.concat(tables)).to_dict("records")
    assert (line["seeds"], line["folds"], line["n"]) == (2, 2, 25)
    pooled, means = [18 / 25, 22 / 25], [(16 / 20 + 2 / 5) / 2, (18 / 20 + 4 / 5) / 2]
    for name, values in (("accuracy", pooled), ("fold_accuracy", means)):
        assert line[name] == pytest.approx(np.mean(values))
        assert line[f"{name}_std"] == pytest.approx(np.std(values, ddof=1))
    assert line["standard_error"] == pytest.approx(np.mean([(p * (1 - p) / 25) ** 0.5 for p in pooled]))


def test_one_seed_gives_the_scores_of_the_run_without_a_deviation():
    run = random_run()
    (line,), scores = summarise(run).to_dict("records"), score(run)
    for name in ("accuracy", "fold_accuracy", "balanced_accuracy", "macro_f1", "nmi", "calibration_error"):
        assert line[name] == pytest.approx(scores[name])
        assert np.isnan(line[f"{name}_std"])
    assert (line["seeds"], line["folds"], line["n"]) == (1, 1, scores.n)


def test_metrics_of_sequences_are_summarised_when_the_rows_are_given():
    run = random_run(8, classes=CLASSES)
    rows = pd.DataFrame({"sample_id": run["sample_id"], "dataset": "mmi", "frame": [1, 2, 3, 4] * 2})
    rows["sequence"] = ["a"] * 4 + ["b"] * 4
    run["y_true"] = ["fear"] * 8
    both = pd.concat([run.assign(y_pred="fear"), run.assign(y_pred=["fear"] * 3 + ["neutral"] * 5, seed=1)])
    (line,) = summarise(both, rows=rows).to_dict("records")
    assert (line["fc"], line["cfc"]) == (1.0, 0.5)
    assert "fc" not in summarise(both)
