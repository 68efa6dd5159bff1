import numpy as np
import pandas as pd
import pytest
from random_runs import codes, random_run
from scipy.stats import bootstrap
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from openfer.errors import DataError
from openfer.evaluation import bootstrap as module
from openfer.evaluation.bootstrap import bootstrap_intervals, mean_of_runs, resample, subjects, units
from openfer.evaluation.calibration import error_of, reliability
from openfer.evaluation.metrics import RESAMPLED, named
from openfer.evaluation.scores import score_runs
from openfer.schemas import group_table

SCORES = named(*RESAMPLED)


def test_values_of_the_whole_are_those_of_score():
    run = random_run()
    table = bootstrap_intervals(run, repeats=10).set_index("metric")["value"]
    scores = score_runs(run).iloc[0]
    assert list(table.index) == list(SCORES)
    for name in SCORES:
        assert table[name] == pytest.approx(scores[name], abs=1e-12), name


def test_values_of_a_group_are_those_of_score_on_its_samples():
    run = random_run()
    groups = group_table({("age", "young"): run["sample_id"][:90], ("age", "old"): run["sample_id"][90:]})
    table = bootstrap_intervals(run, groups, repeats=10).set_index(["group", "metric"])["value"]
    for group, part in (("young", run[:90]), ("old", run[90:])):
        scores = score_runs(part).iloc[0]
        for name in SCORES:
            assert table[group, name] == pytest.approx(scores[name], abs=1e-12), (group, name)


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "macro_f1"])
def test_intervals_by_sample_are_scipy_s(metric):
    run = random_run(300)
    statistics = {
        "accuracy": accuracy_score,
        "balanced_accuracy": balanced_accuracy_score,
        "macro_f1": lambda true, predicted: f1_score(true, predicted, average="macro"),
    }
    theirs = bootstrap(
        codes(run),
        statistics[metric],
        paired=True,
        vectorized=False,
        n_resamples=1500,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    ours = bootstrap_intervals(run, repeats=4000).set_index("metric").loc[metric]
    spread = theirs.standard_error
    assert ours["low"] == pytest.approx(theirs.confidence_interval.low, abs=0.2 * spread)
    assert ours["high"] == pytest.approx(theirs.confidence_interval.high, abs=0.2 * spread)


def test_every_resample_is_the_scores_of_the_samples_drawn():
    """Ten resamples done by hand: the rows that the same generator draws, scored by `score`."""
    run = random_run(120).sort_values("sample_id", ignore_index=True)
    generator = module.generator_for(5, "bootstrap")
    found = resample(run, repeats=10, seed=5).replicates
    for number in range(10):
        drawn = run.iloc[generator.integers(0, 120, 120, dtype=np.int32)]
        scores = score_runs(drawn.assign(sample_id=[f"d{i}" for i in range(120)])).iloc[0]
        for name in SCORES:
            assert found[name][number, 0] == pytest.approx(scores[name], abs=1e-12), name


def test_the_mean_of_seeds_is_resampled_with_the_same_people_for_all():
    first, second = random_run(60), random_run(60, skill=5).assign(seed=1)
    found = [resample(run, repeats=20) for run in (first, second)]
    mean = mean_of_runs(found)
    for name in SCORES:
        assert mean.values[name][0] == pytest.approx((found[0].values[name][0] + found[1].values[name][0]) / 2)
        both = (found[0].replicates[name] + found[1].replicates[name]) / 2
        np.testing.assert_allclose(mean.replicates[name], both)
    same = mean_of_runs([found[0], found[0]])
    np.testing.assert_allclose(same.replicates["accuracy"], found[0].replicates["accuracy"])


def test_people_are_drawn_with_all_their_images():
    run = random_run(120).sort_values("sample_id", ignore_index=True)
    people = pd.Series([f"p{i // 4}" for i in range(120)], run["sample_id"])
    generator = module.generator_for(0, "bootstrap")
    found = resample(run.assign(subject=run["sample_id"].map(people)), repeats=5).replicates["macro_f1"]
    for number in range(5):
        chosen = generator.integers(0, 30, 30, dtype=np.int32)
        drawn = run.iloc[np.concatenate([np.arange(4 * person, 4 * person + 4) for person in chosen])]
        true, predicted = codes(drawn)
        assert found[number, 0] == pytest.approx(f1_score(true, predicted, average="macro", labels=np.unique(true)))


def test_the_order_of_rows_changes_no_interval():
    run = random_run(80)
    shuffled = run.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(bootstrap_intervals(run, repeats=50), bootstrap_intervals(shuffled, repeats=50))


def test_ten_copies_of_each_answer_widen_nothing_when_they_are_drawn_together():
    once = random_run(60)
    copies = pd.concat([once] * 10, ignore_index=True)
    who = copies["sample_id"].to_numpy()
    copies["sample_id"] = [f"{name}/{number}" for number, name in enumerate(who)]
    people = pd.Series(who, copies["sample_id"])
    columns = ["metric", "value", "low", "high"]
    pd.testing.assert_frame_equal(
        bootstrap_intervals(copies.assign(subject=copies["sample_id"].map(people)), repeats=200)[columns],
        bootstrap_intervals(once, repeats=200)[columns],
    )


def test_people_are_the_subjects_of_each_dataset_and_a_sample_without_one_is_alone():
    run = random_run(5).assign(subject=["a", "a", "a", None, None], dataset=["x", "x", "y", "x", "x"])
    assert units(run, subjects(run)).tolist() == [0, 0, 1, 2, 3]
    assert units(run, subjects(run.drop(columns="subject"))).tolist() == [0, 1, 2, 3, 4]
    assert units(run, pd.Series({"s1": "b", "s4": "b"})).tolist() == [1, 0, 2, 3, 0]


def test_results_do_not_depend_on_how_many_resamples_are_in_memory(monkeypatch):
    run = random_run(50)
    whole = bootstrap_intervals(run, repeats=40)
    monkeypatch.setattr(module, "AT_ONCE", 150)
    pd.testing.assert_frame_equal(bootstrap_intervals(run, repeats=40), whole)


def test_resamples_that_all_agree_give_wilson_s_interval_of_accuracy_and_no_other():
    run = random_run(40, skill=50)
    table = bootstrap_intervals(run.assign(subject="one")).set_index("metric")
    assert table.loc["accuracy", ["value", "people"]].tolist() == [1, 1]
    assert table.loc["accuracy", "low"] == pytest.approx(1 / (1 + 1.959963984540054**2))
    assert table.loc["macro_f1", ["low", "high"]].isna().all()


def test_a_true_label_that_is_not_a_class_is_refused():
    run = random_run(5).drop(columns="p_fear").assign(y_pred="anger", y_true=["fear", *["anger"] * 4])
    with pytest.raises(DataError, match=r"labels \['fear'\], which are not among the classes"):
        bootstrap_intervals(run)


def test_the_calibration_error_is_that_of_the_reliability_diagram():
    run = random_run(200)
    table = bootstrap_intervals(run, repeats=200).set_index("metric")
    assert table.loc["calibration_error", "value"] == pytest.approx(error_of(reliability(run)))
