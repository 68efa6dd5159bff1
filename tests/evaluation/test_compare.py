import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.evaluation.compare import compare, compare_all, comparison_table, sentences


def run(correct, method="addl", **names):
    """Predictions of a run that is right where ``correct`` is true."""
    true = np.where(np.arange(len(correct)) % 2, "fear", "anger")
    wrong = np.where(true == "fear", "anger", "fear")
    table = pd.DataFrame({"sample_id": [f"s{i}" for i in range(len(correct))], "y_true": true})
    table["y_pred"] = np.where(correct, true, wrong)
    defaults = {"fold": 0, "seed": 0, "method": method, "variant": method, "selection": "last", "task": "expression"}
    table = table.assign(**(defaults | names))
    return table.assign(**{f"p_{name}": (table.y_pred == name).astype(float) for name in ("fear", "anger")})


@pytest.fixture
def pair():
    generator = np.random.default_rng(4)
    first, second = generator.random((2, 300)) < np.array([[0.8], [0.7]])
    return first, second


def test_the_standard_error_is_the_one_that_a_bootstrap_over_samples_finds(pair):
    first, second = pair
    found = compare(run(first), run(second, "baseline"))
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, 300, (4000, 300))
    assert found.difference == pytest.approx(first.mean() - second.mean())
    assert found.standard_error == pytest.approx(np.std(first[drawn].mean(1) - second[drawn].mean(1)), rel=0.05)


def test_mcnemar_is_the_probability_that_a_simulation_of_fair_coins_finds(pair):
    first, second = pair
    found = compare(run(first), run(second, "baseline"))
    assert found.only_first == (first & ~second).sum()
    assert found.only_second == (second & ~first).sum()
    discordant = found.only_first + found.only_second
    heads = np.random.default_rng(0).binomial(discordant, 0.5, 200_000)
    as_uneven = abs(heads - discordant / 2) >= abs(found.only_first - discordant / 2)
    assert found.p_value == pytest.approx(as_uneven.mean(), abs=0.003)


def test_mcnemar_worked_out_by_hand():
    """Six faces are right by one run alone, five of them by the first: 2 (C(6, 0) + C(6, 1)) / 2^6 = 14 / 64."""
    first, second = np.ones(20, bool), np.ones(20, bool)
    second[:5] = first[5:6] = False
    found = compare(run(first), run(second, "baseline"))
    assert (found.only_first, found.only_second, found.p_value) == (5, 1, pytest.approx(14 / 64))


def test_pairing_does_not_depend_on_the_order_of_rows(pair):
    first, second = run(pair[0]), run(pair[1], "baseline")
    assert compare(first, second) == compare(first, second.sample(frac=1, random_state=0))


def test_the_sentence_says_indistinguishable_when_the_test_set_is_too_small():
    first, second = np.ones(490, bool), np.ones(490, bool)
    first[:60], second[30:100] = False, False
    said = compare(run(first), run(second, "baseline")).sentence
    assert said.startswith("ADDL is 2.0 points above Baseline (standard error 1.7, n = 490, McNemar p = 0.2")
    assert said.endswith("last, seed 0): indistinguishable at n = 490.")


def test_the_sentence_says_a_difference_when_it_is_beyond_sampling_error():
    first, second = np.ones(490, bool), np.arange(490) >= 60
    said = compare(run(second), run(first, "baseline")).sentence
    assert "12.2 points below Baseline" in said
    assert said.endswith("a difference beyond sampling error at n = 490.")


def test_equal_runs_are_level_with_each_other():
    found = compare(run([True, False]), run([True, False], "baseline"))
    assert (found.difference, found.p_value, found.standard_error) == (0, 1, 0)
    assert "ADDL is level with Baseline" in found.sentence


def test_different_samples_are_refused_with_how_many_differ():
    with pytest.raises(DataError, match="0 only in the first, 3 only in the second, 7 in both") as error:
        compare(run([True] * 7), run([True] * 10, "baseline"))
    assert "predict both on the same split" in str(error.value)


def test_different_true_labels_are_refused():
    second = run([True] * 4, "baseline").replace({"y_true": {"fear": "anger"}})
    with pytest.raises(DataError, match="different true labels for 2 of 4 samples, the first s1"):
        compare(run([True] * 4), second)


def test_a_last_epoch_is_not_compared_with_a_selected_one():
    with pytest.raises(DataError, match="selection 'last' and Baseline 'best_val'"):
        compare(run([True]), run([True], "baseline", selection="best_val"))


def test_every_run_is_compared_with_the_reference_of_its_seed_and_selection_and_oracles_are_left_out(pair):
    tables = [run(pair[0], seed=s, selection=k) for s in (0, 1) for k in ("last", "best_val", "oracle_test")]
    tables += [run(pair[1], "baseline", selection=k) for k in ("last", "best_val", "oracle_test")]
    found = compare_all(pd.concat(tables), "baseline")
    assert [(c.selection, c.seeds) for c in found] == [("last", (0, 0)), ("best_val", (0, 0))]
    assert comparison_table(found).n.tolist() == [300, 300]


def test_a_reference_that_was_not_predicted_is_an_error_that_lists_what_was():
    with pytest.raises(DataError, match=r"'baseline' to compare with; there are \['addl'\]"):
        compare_all(run([True]), "baseline")


def test_one_seed_is_said_not_to_speak_for_training_noise(pair):
    said = sentences(compare_all(pd.concat([run(pair[0]), run(pair[1], "baseline")]), "baseline"))
    assert len(said) == 2
    assert said[1].startswith("One seed each of ADDL and Baseline")
    assert "cannot speak for training noise" in said[1]


def test_several_seeds_are_summed_up_by_mean_and_spread_of_the_difference():
    def right(share):
        return np.arange(100) < share

    tables = [run(right(80), seed=0), run(right(86), seed=1)]
    tables += [run(right(78), "baseline", seed=s) for s in (0, 1)]
    said = sentences(compare_all(pd.concat(tables), "baseline"))
    assert said[-1] == (
        "Over 2 seeds ADDL is 5.0 points above Baseline on average, with a standard deviation of 4.2 points between "
        "seeds (last)."
    )


def test_every_two_methods_are_compared_and_the_verdict_is_after_correction_for_their_number():
    generator = np.random.default_rng(1)
    shares = {"baseline": 0.70, "addl": 0.74, "manet": 0.76, "oadn": 0.90}
    tables = [run(generator.random(3068) < share, name) for name, share in shares.items()]
    found = compare_all(pd.concat(tables), "baseline")
    assert [(c.first, c.second) for c in found] == [
        *(("ADDL", "Baseline"), ("MA-Net", "Baseline"), ("OADN", "Baseline")),
        *(("MA-Net", "ADDL"), ("OADN", "ADDL"), ("OADN", "MA-Net")),
    ]
    assert {c.comparisons for c in found} == {6}
    assert all(c.corrected >= c.p_value for c in found)
    close = next(c for c in found if (c.first, c.second) == ("MA-Net", "ADDL"))
    assert close.sentence.endswith("indistinguishable at n = 3,068 after correction for 6 comparisons.")
    assert found[2].sentence.endswith("beyond sampling error at n = 3,068 after correction for 6 comparisons.")


def test_people_with_many_images_count_as_people():
    """Thirty people, ten images each, all alike: the error is that of thirty answers, not of three hundred."""
    first, second = np.repeat(np.arange(30) < 26, 10), np.repeat(np.arange(30) % 3 > 0, 10)
    subject = [f"person{i // 10}" for i in range(300)]
    alone = compare(run(first), run(second, "baseline"))
    known = compare(run(first).assign(subject=subject), run(second, "baseline"))
    assert (alone.people, known.people) == (0, 30)
    assert known.standard_error == pytest.approx(alone.standard_error * 10**0.5, rel=0.1)
    assert (known.p_value, known.difference) == (alone.p_value, alone.difference)
    assert known.corrected == known.p_people > known.p_value
    assert "n = 300 of 30 people" in known.sentence
    assert known.low < known.difference < known.high


def test_people_whom_the_reference_alone_knows_count_too():
    first, second = np.repeat(np.arange(30) < 26, 10), np.repeat(np.arange(30) % 3 > 0, 10)
    subject = [f"person{i // 10}" for i in range(300)]
    assert compare(run(first), run(second, "baseline").assign(subject=subject)).people == 30


def test_methods_compared_together_get_what_two_of_them_get_alone(pair):
    third = np.random.default_rng(9).random(300) < 0.75
    tables = [run(pair[1], "baseline"), run(pair[0]), run(third, "manet")]
    together = compare_all(pd.concat(tables), "baseline")
    for found, (first, second) in zip(together, [(1, 0), (2, 0), (2, 1)], strict=True):
        alone = compare(tables[first], tables[second])
        assert (found.low, found.high, found.p_value) == (alone.low, alone.high, alone.p_value)
