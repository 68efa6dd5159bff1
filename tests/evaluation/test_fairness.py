import numpy as np
import pandas as pd
import pytest
from random_runs import random_run

from openfer.errors import DataError
from openfer.evaluation.fairness import fairness
from openfer.evaluation.figures import group_bars_picture
from openfer.schemas import group_table


@pytest.fixture(scope="module")
def run():
    """600 samples; the first 300 are answered better, and so are 20 of a third group."""
    easy, hard = random_run(300, skill=3), random_run(300, seed=1, skill=0.5)
    hard["sample_id"] = "h" + hard["sample_id"]
    return pd.concat([easy, hard], ignore_index=True)


@pytest.fixture(scope="module")
def groups(run):
    ids = run["sample_id"].to_numpy()
    sides = {("light", "day"): ids[:300], ("light", "night"): ids[300:580], ("light", "dusk"): ids[:20]}
    return group_table(sides | {("age", "old"): ids[:100], ("age", "elsewhere"): ["nobody"]})


def test_the_gap_is_of_the_best_and_the_worst_of_the_large_groups(run, groups):
    scores, gaps = fairness(run, groups)
    accuracy = scores[scores["metric"] == "accuracy"].set_index("group")
    assert list(accuracy.index) == ["all", "day", "night", "dusk", "old"]
    assert accuracy["n"].tolist() == [600, 300, 280, 20, 100]
    assert accuracy["ranked"].tolist() == [True, True, True, False, True]
    assert accuracy.loc["dusk", ["low", "high"]].isna().all()
    assert set(gaps["by"]) == {"light"}  # one age is no kind of groups that could differ
    gap = gaps.set_index("metric").loc["accuracy"]
    assert (gap["best"], gap["worst"], gap["groups"], gap["n_best"], gap["n_worst"]) == ("day", "night", 2, 300, 280)
    assert gap["gap"] == pytest.approx(accuracy.loc["day", "value"] - accuracy.loc["night", "value"])
    assert gap["low"] < gap["gap"] < gap["high"]
    assert gap["low"] > 0.1


def test_the_best_calibrated_group_has_the_least_error(run, groups):
    scores, gaps = fairness(run, groups)
    error = scores[scores["metric"] == "calibration_error"].set_index("group")["value"]
    gap = gaps.set_index("metric").loc["calibration_error"]
    assert error[gap["best"]] < error[gap["worst"]]
    assert gap["gap"] == pytest.approx(error[gap["worst"]] - error[gap["best"]])


def test_the_interval_of_a_gap_is_of_one_resampling_of_people_in_both_groups():
    """Each person is in both groups with the same answer: no resample has any gap."""
    run = random_run(100)
    twice = pd.concat([run, run.assign(sample_id="t" + run["sample_id"])], ignore_index=True)
    groups = group_table({("pose", "front"): run["sample_id"], ("pose", "side"): "t" + run["sample_id"]})
    people = twice.assign(subject=[*run["sample_id"], *run["sample_id"]])
    apart = fairness(people, groups)[1].set_index("metric").loc["accuracy"]
    alone = fairness(twice, groups)[1].set_index("metric").loc["accuracy"]
    assert (apart["gap"], apart["low"], apart["high"]) == (0, 0, 0)
    assert alone["low"] < -0.05 < 0.05 < alone["high"]


def test_the_least_number_of_samples_is_a_parameter(run, groups):
    scores, _ = fairness(run, groups, least=101, repeats=10)
    assert scores[scores["metric"] == "accuracy"].set_index("group")["ranked"].tolist() == [True] * 3 + [False] * 2


@pytest.mark.parametrize(("people", "ranked"), [(9, False), (10, True)])
def test_many_images_of_a_handful_of_people_are_not_ranked(run, groups, people, ranked):
    who = pd.Series([f"p{number % people}" for number in range(len(run))], run["sample_id"])
    scores, gaps = fairness(run.assign(subject=run["sample_id"].map(who)), groups, repeats=10)
    day = scores[(scores["metric"] == "accuracy") & (scores["group"] == "day")].iloc[0]
    assert (day["n"], day["people"], day["ranked"]) == (300, people, ranked)
    assert gaps.empty != ranked


def test_runs_stay_apart(run, groups):
    scores, gaps = fairness(pd.concat([run, run.assign(seed=1, y_pred=run["y_true"])]), groups, repeats=10)
    accuracy = scores[scores["metric"] == "accuracy"]
    assert accuracy[accuracy["seed"] == 1]["value"].tolist() == [1] * 5
    assert gaps.groupby("seed").size().tolist() == [5, 5]


def test_a_set_without_groups_is_reported_as_a_whole(run):
    scores, gaps = fairness(run, group_table({}), repeats=10)
    assert set(scores["by"]) == {"all"}
    assert gaps.empty
    assert "gap" in gaps


def test_a_sample_twice_in_a_run_is_refused(run, groups):
    with pytest.raises(DataError, match="predicted more than once"):
        fairness(pd.concat([run, run.assign(fold=1)]), groups)


def test_each_of_several_datasets_is_a_group_and_one_alone_is_the_whole():
    run = random_run(90)
    two = fairness(run.assign(dataset=np.repeat(["raf", "fed_ro"], [60, 30])), group_table({}), repeats=10)[0]
    sizes = two[two["metric"] == "accuracy"].set_index(["by", "group"])["n"].to_dict()
    assert sizes == {("all", "all"): 90, ("dataset", "raf"): 60, ("dataset", "fed_ro"): 30}
    assert set(fairness(run.assign(dataset="raf"), group_table({}), repeats=10)[0]["by"]) == {"all"}


def test_points_show_every_group_with_n_and_its_interval_and_small_groups_are_pale(run, groups):
    scores, _ = fairness(run, groups, repeats=50)
    figure = group_bars_picture(scores.assign(name="ADDL"))
    light, age = (axes for axes in figure.axes if axes.axison)
    assert [axes.get_title(loc="left") for axes in (light, age)] == ["light", "age"]
    assert light.get_yticklabels()[0].get_text().startswith("day\nn = 300")
    ranked, pale = (line for line in light.lines if line.get_marker() == "o")
    assert (len(ranked.get_xdata()), len(pale.get_xdata()), pale.get_alpha()) == (2, 1, 0.35)
    (intervals,) = light.collections
    bounds = scores[(scores["by"] == "light") & (scores["metric"] == "accuracy") & scores["ranked"]]
    expected = bounds[["low", "high"]].to_numpy()
    np.testing.assert_allclose([segment[:, 0] for segment in intervals.get_segments()], expected)


def test_several_methods_stand_beside_each_other_in_each_group(run, groups):
    scores, _ = fairness(run, groups, repeats=10)
    figure = group_bars_picture(pd.concat([scores.assign(name=name) for name in ("ADDL", "SCN")]))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ADDL", "SCN"]


def test_a_set_without_groups_has_a_title_alone(run):
    scores, _ = fairness(run, group_table({}), repeats=10)
    figure = group_bars_picture(scores.assign(name="ADDL"))
    assert not any(axes.axison for axes in figure.axes)
    assert "All faces: ADDL" in figure.get_suptitle()
