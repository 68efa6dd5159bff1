"""A study's table from predictions: means over seeds and folds, what is missing, and what may be compared."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from openfer.evaluation.conditions import Conditions
from openfer.evaluation.predictions import predictions_table
from openfer.evaluation.published_rows import PublishedFigure, printed_figure
from openfer.evaluation.study_table import COMPARED, Wanted, ours_in_words, study_table, to_markdown

CLASSES = ("neutral", "happiness", "fear")
NOTHING_COMPARED = pd.DataFrame(columns=list(COMPARED))


def answers(row, seed, fold, right, n=10, selection="best_val"):
    """Predictions of n samples of a fold, the first `right` of them right."""
    true = [CLASSES[i % 3] for i in range(n)]
    given = [name if i < right else CLASSES[(i + 1) % 3] for i, name in enumerate(true)]
    probabilities = np.array([[0.8 if name == answer else 0.1 for name in CLASSES] for answer in given])
    names = [f"{fold}-{i}" for i in range(n)]
    run = {"fold": fold, "seed": seed, "method": "baseline", "variant": "baseline", "selection": selection}
    table = predictions_table(names, probabilities, CLASSES, true, task="expression", **run)
    return table.assign(row=row, column="RAF-DB")


def facts(row, seed, fold, selection="best_val", main=True):
    said = {"initialisation": "random weights", "data_version": "abc", "tested_on": "test", "epoch": 3}
    key = {"row": row, "column": "RAF-DB", "seed": seed, "fold": fold}
    faces = {"raf_db": {"reader": "raf_db", "partitions": ["test"]}}
    return key | said | {"selection": selection, "main_selection": main, "tested_faces": faces}


def cell(row, seed, fold, error=""):
    state = "failed" if error else "done"
    return {"row": row, "column": "RAF-DB", "seed": seed, "fold": fold, "state": state, "error": error}


def figure(**conditions):
    """A published accuracy of 80 % on ten faces of three classes."""
    known = {"source": "raf_db", "trained_on": ("raf_db",), "classes": 3, "partitions": ("test",)}
    measured = Conditions(**known | {"folds": 1, "n": (10,), "counted": "faces"} | conditions)
    return PublishedFigure(80.0, "RAF-DB", "A paper, Table 1: Baseline", measured)


def table(found, folds=(0,), measure="accuracy", trained_on=("raf_db",), failed=(), there=()):
    published = figure(**{"folds": len(folds), "n": (10 * len(folds),)} | dict(there))
    want = Wanted("Baseline", "RAF-DB", measure, (0, 1), folds, trained_on, published)
    told = [facts("Baseline", seed, fold) for seed, fold, _ in found]
    cells = [cell("Baseline", seed, fold) for seed, fold, _ in found] + [cell("Baseline", *key) for key in failed]
    predictions = [answers("Baseline", seed, fold, right) for seed, fold, right in found]
    return study_table([want], pd.concat(predictions), pd.DataFrame(told), pd.DataFrame(cells), pd.DataFrame())


def test_ours_is_the_mean_over_seeds_and_its_spread_the_sample_deviation():
    line = table([(0, 0, 5), (1, 0, 8)]).iloc[0]
    assert (line["ours"], line["seeds"], line["folds"], line["n"]) == (pytest.approx(65.0), 2, 1, 10)
    assert line["sd"] == pytest.approx(np.std([50, 80], ddof=1))
    assert line["difference"] == pytest.approx(-15.0)
    assert line["missing"] == ""


def test_of_several_folds_the_accuracy_is_their_mean_as_papers_print_it():
    line = table([(0, 0, 5), (0, 1, 9)], folds=(0, 1)).iloc[0]
    assert (line["ours"], line["folds"], line["n"]) == (pytest.approx(70.0), 2, 20)
    assert np.isnan(line["sd"])


def test_a_seed_without_all_its_folds_does_not_count_and_the_table_says_why():
    found = [(0, 0, 5), (0, 1, 9), (1, 0, 10)]
    line = table(found, folds=(0, 1), failed=[(1, 1, "DataError: no fold 1")]).iloc[0]
    assert (line["ours"], line["seeds"]) == (pytest.approx(70.0), 1)
    assert line["missing"] == "seed 1, fold 1: DataError: no fold 1"


def test_a_fold_that_no_seed_could_run_is_left_out_of_the_mean_and_named():
    nobody = "DataError: the split of mmi has no fold 1"
    found = [(seed, fold, right) for seed in (0, 1) for fold, right in ((0, 5), (2, 9))]
    line = table(found, folds=(0, 1, 2), failed=[(seed, 1, nobody) for seed in (0, 1)]).iloc[0]
    assert (line["ours"], line["seeds"], line["folds"], line["n"]) == (pytest.approx(70.0), 2, 2, 20)
    assert line["missing"] == f"mean of 2 of 3 folds; seed 0, fold 1: {nobody}; seed 1, fold 1: {nobody}"
    assert np.isnan(line["published"])
    assert "folds: 2 here, 3 in the paper; n: 20 faces here, 30 in the paper" in line["differs"]


def test_a_figure_of_another_dataset_does_not_stand_beside_ours_and_the_row_says_why():
    line = table([(0, 0, 5)], trained_on=("synthetic_fer",)).iloc[0]
    assert np.isnan(line["published"])
    assert np.isnan(line["difference"])
    assert line["source"] == "A paper, Table 1: Baseline"
    assert line["differs"] == ("80 published, not comparable: dataset: synthetic_fer here, raf_db in the paper")


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ({"classes": 8}, "classes: 3 here, 8 in the paper"),
        ({"partitions": ("val",)}, "partition: test here, val in the paper"),
        ({"folds": 10}, "folds: 1 here, 10 in the paper"),
        ({"n": (3068,)}, "n: 10 faces here, 3,068 in the paper"),
    ],
)
def test_each_thing_that_differs_is_said_in_the_row_and_below_the_table(there, words):
    made = table([(0, 0, 5)], there=there)
    assert np.isnan(made["published"].iloc[0])
    assert made["differs"].iloc[0] == f"80 published, not comparable: {words}"
    said = to_markdown("T", made, NOTHING_COMPARED)
    assert f"- RAF-DB: the published accuracy of Baseline is not comparable. {words}.\n" in said


def test_how_a_paper_measures_in_another_way_is_said_below_the_table():
    remark = "the authors' code reports the best test epoch"
    want = Wanted("Baseline", "RAF-DB", "accuracy", (0,), (0,), ("raf_db",), replace(figure(), remark=remark))
    told, cells = pd.DataFrame([facts("Baseline", 0, 0)]), pd.DataFrame([cell("Baseline", 0, 0)])
    made = study_table([want], answers("Baseline", 0, 0, 5), told, cells, pd.DataFrame())
    assert made["published"].iloc[0] == 80.0
    assert f"- Published for Baseline: {remark}.\n" in to_markdown("T", made, NOTHING_COMPARED)


def test_an_oracle_is_no_result():
    want = Wanted("Baseline", "RAF-DB", "accuracy", (0,), (0,), ("raf_db",))
    both = [answers("Baseline", 0, 0, 5), answers("Baseline", 0, 0, 9, selection="oracle_test")]
    told = [facts("Baseline", 0, 0), facts("Baseline", 0, 0, "oracle_test", main=False)]
    cells = pd.DataFrame([cell("Baseline", 0, 0)])
    found = study_table([want], pd.concat(both), pd.DataFrame(told), cells, pd.DataFrame())
    assert list(found["selection"]) == ["best_val"]


def test_every_measure_of_classes_is_in_the_papers_unit():
    ten = [(0, 0, 10)]
    assert table(ten, measure="macro_f1").iloc[0]["ours"] == pytest.approx(100.0)
    assert table(ten, measure="aff_wild2_score").iloc[0]["ours"] == pytest.approx(100.0)
    assert table(ten, measure="nmi").iloc[0]["ours"] == pytest.approx(1.0)


def test_published_figures_are_found_by_the_name_that_a_paper_gives_the_measure():
    def value(*cell):
        return printed_figure(*cell).value

    assert value("addl", "Table 4", "ADDL", "", "RAF-DB", "nmi") == 0.709
    assert value("addl", "Table 14", "ADDL (proposed)", "", "AffectNet-VA", "arousal_rmse") == 0.33
    assert value("sna", "Table VII", "SNA", "with Ours", "CK+", "cfc") == 1.8
    assert printed_figure("addl", "Table 3", "nobody", "", "RAF-DB", "accuracy") is None


def test_words_have_as_many_digits_as_the_number_is_worth():
    assert ours_in_words(0.0831, 0.0204) == "0.083 ± 0.020"
    assert ours_in_words(57.62, float("nan")) == "57.6"
    assert ours_in_words(float("nan"), float("nan")) == ""
    assert "| Baseline | RAF-DB | accuracy % | 80 | 65.0 ± 21.2 | 2 | 1 | 10 | best_val | raf_db |  |" in to_markdown(
        "T", table([(0, 0, 5), (1, 0, 8)]), NOTHING_COMPARED
    )


def test_a_seed_whose_counted_faces_are_in_one_fold_only_counts_for_its_cells_have_run():
    want = Wanted("Baseline", "RAF-DB", "accuracy", (0,), (0, 1), ("raf_db",))
    told = pd.DataFrame([facts("Baseline", 0, fold) for fold in (0, 1)])
    cells = pd.DataFrame([cell("Baseline", 0, fold) for fold in (0, 1)])
    line = study_table([want], answers("Baseline", 0, 1, 8), told, cells, pd.DataFrame()).iloc[0]
    assert (line["ours"], line["seeds"], line["n"]) == (pytest.approx(80.0), 1, 10)


def test_bars_in_words_do_not_break_the_markdown_table():
    words = to_markdown("T", table([(0, 0, 5)], failed=[(1, 0, "ParameterError: a | b")]), NOTHING_COMPARED)
    assert r"a \| b |" in words
