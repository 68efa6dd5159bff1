"""One line per method and selection, its scores, and the paper's figure beside it."""

import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score
from tests.evaluation.made_runs import answers_of, facts_of, write_run

from openfer.evaluation.bootstrap import bootstrap_intervals
from openfer.evaluation.entries import entries_of
from openfer.evaluation.leaderboard import honest, leaderboard, oracles
from openfer.evaluation.published import published_table
from openfer.io.runs import find_runs

CLASSES = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")


@pytest.fixture(scope="module")
def published():
    return published_table()


def run_on(root, name, dataset, n=100, right=80, fold=0, seed=0, partitions=("test",), classes=CLASSES, **run):
    """Write a run that has ``right`` of ``n`` answers right."""
    kind = {"method": "addl", "variant": "addl"} | run
    faces = {dataset: {"reader": dataset, "partitions": list(partitions)}}
    ids = [f"{dataset}{fold}_{number}" for number in range(n)]
    true = [classes[number % len(classes)] for number in range(n)]
    predictions = answers_of(ids, true, classes, dict.fromkeys(range(right, n), 0.6), **kind, fold=fold, seed=seed)
    facts = facts_of(**kind, datasets=[dataset], fold=fold, seed=seed, tested_faces=faces)
    write_run(root, name, predictions, [facts])


def test_seeds_are_one_line_with_the_mean_and_their_spread(made_runs, published):
    table = honest(leaderboard(entries_of(made_runs), published))
    assert list(table["entry"]) == ["ADDL", "Baseline"]
    addl = table.iloc[0]
    assert (addl["seeds"], addl["seed"], addl["runs"]) == (2, "0, 1", "addl_0, addl_1")
    wrong = [6, 8]
    assert addl["accuracy"] == pytest.approx(1 - sum(wrong) / 2 / addl["n"])
    assert addl["accuracy_std"] == pytest.approx(abs(wrong[0] - wrong[1]) / addl["n"] / 2**0.5)
    assert addl["low"] < addl["accuracy"] < addl["high"]


def test_an_oracle_is_in_no_table_but_its_own(made_runs, published):
    table = leaderboard(entries_of(made_runs), published)
    assert "oracle_test" not in set(honest(table)["selection"])
    assert list(oracles(table)["entry"]) == ["Baseline"]
    assert oracles(table)["accuracy"].iloc[0] > honest(table)["accuracy"].iloc[1]
    assert not oracles(table)["main"].any()


def test_balanced_accuracy_is_scikit_learns(made_runs, published):
    table = leaderboard(entries_of(made_runs), published).set_index(["entry", "selection"])
    run = made_runs[-1]
    own = run.predictions[run.predictions["selection"] == "best_val"]
    expected = balanced_accuracy_score(own["y_true"], own["y_pred"])
    assert table.loc[("Baseline", "best_val"), "balanced_accuracy"] == pytest.approx(expected)


def test_the_interval_is_that_of_drawing_people_with_all_their_images(tmp_path, published):
    kind = {"method": "addl", "variant": "addl"}
    ids = [f"s{number}" for number in range(60)]
    true = [CLASSES[number % 7] for number in range(60)]
    answers = answers_of(ids, true, CLASSES, dict.fromkeys(range(20), 0.6), **kind)
    people = [f"p{number // 10}" for number in range(60)]
    write_run(tmp_path, "alone", answers, [facts_of(**kind)])
    write_run(tmp_path, "people", answers.assign(subject=people), [facts_of(**kind)])
    table = leaderboard(entries_of(find_runs(tmp_path)), published).set_index("runs")
    by_person = bootstrap_intervals(answers.assign(subject=people)).set_index("metric").loc["accuracy"]
    assert table.loc["people", ["low", "high", "people"]].tolist() == by_person[["low", "high", "people"]].tolist()
    assert pd.isna(table.loc["alone", "people"])
    widths = table["high"] - table["low"]
    assert widths["people"] > widths["alone"]


def test_the_papers_figure_stands_beside_ours_on_the_same_faces_alone(tmp_path, published):
    run_on(tmp_path, "raf", "raf_db", n=3068, right=2700)
    run_on(tmp_path, "few", "raf_db", n=3000, right=2700)
    run_on(tmp_path, "own", "mine", right=91)
    table = leaderboard(entries_of(find_runs(tmp_path)), published).set_index("runs")
    assert table.loc["raf", "published"] == pytest.approx(0.8934)
    assert table.loc["raf", "difference"] == pytest.approx(2700 / 3068 - 0.8934)
    assert table.loc["raf", "source"] == "Ruan et al., IJCV 2022, Table 3: ADDL"
    assert table["published"][["few", "own"]].isna().all()
    assert table.loc["few", "differs"] == "89.34 published, not comparable: n: 3,000 faces here, 3,068 in the paper"
    assert table.loc["own", "differs"] == ""


@pytest.mark.parametrize("folds", [9, 10])
def test_a_mean_over_ten_folds_is_compared_with_a_mean_over_ten_folds(tmp_path, published, folds):
    sizes = [57 + fold for fold in range(folds - 1)]
    sizes.append(615 - sum(sizes))
    for fold, n in enumerate(sizes):
        kind = {"n": n, "right": 50, "fold": fold, "partitions": ()}
        run_on(tmp_path, f"fold_{fold}", "mmi", classes=CLASSES[1:], **kind)
    (row,) = leaderboard(entries_of(find_runs(tmp_path)), published).to_dict("records")
    mean = sum(50 / n for n in sizes) / folds
    assert row["fold_accuracy"] == pytest.approx(mean)
    if folds == 10:
        assert row["published"] == pytest.approx(0.8613)
        assert row["difference"] == pytest.approx(mean - 0.8613)
    else:
        assert pd.isna(row["published"])
        assert row["differs"] == "86.13 published, not comparable: folds: 9 here, 10 in the paper"
