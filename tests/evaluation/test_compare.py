"""Methods are compared on the same faces: with one seed by drawing faces, with several also by training again."""

import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.evaluation import compare as module
from openfer.evaluation.compare import correct, holm, resampled_means, sentences


def run(correct, method="addl", **names):
    """Predictions of a run that is right where ``correct`` is true."""
    true = np.where(np.arange(len(correct)) % 2, "fear", "anger")
    wrong = np.where(true == "fear", "anger", "fear")
    table = pd.DataFrame({"sample_id": [f"s{i}" for i in range(len(correct))], "y_true": true})
    table["y_pred"] = np.where(correct, true, wrong)
    defaults = {"fold": 0, "seed": 0, "method": method, "variant": method, "selection": "last", "task": "expression"}
    table = table.assign(name=method, **(defaults | names))
    return table.assign(**{f"p_{name}": (table.y_pred == name).astype(float) for name in ("fear", "anger")})


def compare(*tables):
    """Every two of some runs, the first table's name as the reference."""
    together = pd.concat(tables)
    return correct(module.compare(together, list(together["name"].unique())))


def of_two(first, second):
    """The first run against the second one."""
    (pair,) = compare(second, first).to_dict("records")
    return pair


@pytest.fixture
def pair():
    generator = np.random.default_rng(4)
    first, second = generator.random((2, 300)) < np.array([[0.8], [0.7]])
    return first, second


def test_the_standard_error_is_the_one_that_a_bootstrap_over_samples_finds(pair):
    first, second = pair
    found = of_two(run(first), run(second, "baseline"))
    drawn = np.random.default_rng(0).integers(0, 300, (4000, 300))
    assert found["difference"] == pytest.approx(first.mean() - second.mean())
    expected = np.std(first[drawn].mean(1) - second[drawn].mean(1))
    assert found["standard_error"] == found["of_faces"] == pytest.approx(expected, rel=0.05)
    assert np.isnan(found["of_training"])
    assert np.isnan(found["people"])


def test_mcnemar_worked_out_by_hand():
    """Six faces are right by one run alone, five of them by the first: 2 (C(6, 0) + C(6, 1)) / 2^6 = 14 / 64."""
    first, second = np.ones(20, bool), np.ones(20, bool)
    second[:5] = first[5:6] = False
    found = of_two(run(first), run(second, "baseline"))
    assert (found["only_first"], found["only_second"], found["mcnemar"]) == (5, 1, pytest.approx(14 / 64))
    assert found["p_value"] == found["mcnemar"]  # the larger one


def test_pairing_does_not_depend_on_the_order_of_rows(pair):
    first, second = run(pair[0]), run(pair[1], "baseline")
    assert of_two(first, second) == pytest.approx(of_two(first, second.sample(frac=1, random_state=0)), nan_ok=True)


def test_the_sentence_says_that_a_small_difference_is_not_significant():
    first, second = np.ones(490, bool), np.ones(490, bool)
    first[:60], second[30:100] = False, False
    said, caution = sentences(compare(run(second, "Baseline"), run(first, "ADDL")))
    assert said == (
        "ADDL is 2.0 points above Baseline (one seed, last, standard error 1.7, n = 490 faces, p = 0.28): "
        "not significant."
    )
    assert caution.startswith("With one seed the standard error holds the error of drawing faces only.")


def test_the_sentence_says_that_a_large_difference_is_significant():
    first, second = np.ones(490, bool), np.arange(490) >= 60
    said = sentences(compare(run(first, "Baseline"), run(second, "ADDL")))[0]
    assert "12.2 points below Baseline" in said
    assert said.endswith(": significant.")


def test_equal_runs_are_level_with_each_other():
    table = compare(run([True, False], "Baseline"), run([True, False], "ADDL"))
    assert table[["difference", "p_value", "standard_error"]].to_numpy().tolist() == [[0, 1, 0]]
    assert "ADDL is level with Baseline" in sentences(table)[0]


def test_different_samples_are_refused_with_how_many_differ():
    with pytest.raises(DataError, match="3 only in the first, 0 only in the second, 7 in both") as error:
        compare(run([True] * 7), run([True] * 10, "baseline"))
    assert "Predict both on the same split" in str(error.value)


def test_different_true_labels_are_refused():
    second = run([True] * 4, "baseline").replace({"y_true": {"fear": "anger"}})
    with pytest.raises(DataError, match="different true labels for 2 of 4 samples, the first s1"):
        compare(run([True] * 4), second)


def test_the_error_of_several_seeds_holds_that_of_training_again():
    tables = [run(np.arange(100) < share, "baseline", seed=seed) for seed, share in ((0, 78), (1, 78))]
    tables += [run(np.arange(100) < share, seed=seed) for seed, share in ((0, 80), (1, 86))]
    (found,) = compare(*tables).to_dict("records")
    assert (found["seeds"], found["difference"]) == (2, pytest.approx(0.05))
    assert found["of_training"] == pytest.approx(np.std([0.02, 0.08], ddof=1) / 2**0.5)
    assert found["standard_error"] == pytest.approx(np.hypot(found["of_faces"], found["of_training"]))
    assert np.isnan(found["mcnemar"])
    assert "mean of 2 seeds" in sentences(pd.DataFrame([found]))[0]


def test_seeds_that_one_method_alone_has_do_not_count(pair):
    tables = [run(pair[1], "baseline"), run(pair[0]), run(pair[1], seed=1)]
    alone = compare(*tables[:2])
    pd.testing.assert_frame_equal(compare(*tables), alone)


def test_a_seed_that_lacks_faces_of_another_seed_is_left_out(pair):
    tables = [run(pair[1], "baseline", seed=seed) for seed in (0, 1)]
    tables += [run(pair[0]), run(pair[0][:200], seed=1)]
    assert compare(*tables)["seeds"].tolist() == [1]


def test_every_two_methods_are_compared_and_the_verdict_is_after_correction_for_their_number():
    generator = np.random.default_rng(1)
    shares = {"Baseline": 0.70, "ADDL": 0.74, "MA-Net": 0.76, "OADN": 0.90}
    found = compare(*(run(generator.random(3068) < share, name) for name, share in shares.items()))
    assert found[["first", "second"]].to_numpy().tolist() == [
        *(["ADDL", "Baseline"], ["MA-Net", "Baseline"], ["OADN", "Baseline"]),
        *(["MA-Net", "ADDL"], ["OADN", "ADDL"], ["OADN", "MA-Net"]),
    ]
    assert set(found["comparisons"]) == {6}
    assert (found["corrected"] >= found["p_value"]).all()
    said = sentences(found)
    assert said[3].endswith("not significant after correction for 6 comparisons.")
    assert said[2].endswith(": significant after correction for 6 comparisons.")


def test_people_with_many_images_count_as_people():
    """Thirty people, ten images each, all alike: the error is that of thirty answers, not of three hundred."""
    first, second = np.repeat(np.arange(30) < 26, 10), np.repeat(np.arange(30) % 3 > 0, 10)
    subject = [f"person{i // 10}" for i in range(300)]
    alone = of_two(run(first), run(second, "baseline"))
    known = of_two(run(first).assign(subject=subject), run(second, "baseline"))
    assert known["people"] == 30
    assert known["standard_error"] == pytest.approx(alone["standard_error"] * 10**0.5, rel=0.1)
    assert (known["mcnemar"], known["difference"]) == (alone["mcnemar"], alone["difference"])
    assert known["p_value"] > known["mcnemar"]
    assert "n = 300 faces of 30 people" in sentences(pd.DataFrame([known]))[0]
    assert known["low"] < known["difference"] < known["high"]


def test_people_whom_the_reference_alone_knows_count_too():
    first, second = np.repeat(np.arange(30) < 26, 10), np.repeat(np.arange(30) % 3 > 0, 10)
    subject = [f"person{i // 10}" for i in range(300)]
    assert of_two(run(first), run(second, "baseline").assign(subject=subject))["people"] == 30


def test_one_person_proves_nothing():
    found = of_two(run([True] * 10).assign(subject="p"), run([False] * 10, "baseline").assign(subject="p"))
    assert (found["people"], found["p_value"]) == (1, 1)


def test_the_interval_of_a_paired_difference_is_scipy_s_over_people():
    from scipy.stats import bootstrap

    generator = np.random.default_rng(0)
    sizes = generator.integers(1, 8, 60)
    person = np.repeat(np.arange(60), sizes)
    differences = generator.choice([-1, 0, 1], len(person), p=[0.1, 0.7, 0.2]).astype(float)
    theirs = bootstrap(
        (np.bincount(person, differences), sizes),
        lambda total, count, axis: total.sum(axis) / count.sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    )
    (found,) = resampled_means(differences[None], person, 20_000)
    assert found.std(ddof=1) == pytest.approx(theirs.standard_error, rel=0.03)
    assert np.percentile(found, [2.5, 97.5]) == pytest.approx(theirs.confidence_interval, abs=0.005)


def test_holm_multiplies_the_smallest_by_all_the_next_by_one_less_and_keeps_their_order():
    # .01 * 4 = .04; .02 * 3 = .06; .03 * 2 = .06; .9 * 1
    np.testing.assert_allclose(holm([0.03, 0.01, 0.9, 0.02]), [0.06, 0.04, 0.9, 0.06])


def test_holm_never_falls_below_a_smaller_one_nor_above_one():
    np.testing.assert_allclose(holm([0.04, 0.041, 0.6, 0.7]), [0.16, 0.16, 1, 1])
    assert holm([0.2]).tolist() == [0.2]
    assert holm([]).tolist() == []
