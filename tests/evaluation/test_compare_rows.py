"""Rows of a study differ beyond the faces that were drawn and the seeds that were trained, or they do not."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from openfer.evaluation.predictions import predictions_table
from openfer.evaluation.study_table import against_the_first, compare_rows

N = 400
CLASSES = ("fear", "anger")


def answers(row, right, seed=0, *, column="A", selection="best_val", fold=0, names=None):
    """Predictions that are right where ``right`` is true, each face of its own person."""
    true = ["fear"] * len(right)
    probabilities = np.where(np.asarray(right)[:, None], [[0.9, 0.1]], [[0.1, 0.9]])
    who = names or [f"{fold}-{number:03d}" for number in range(len(right))]
    run = {"seed": seed, "fold": fold, "method": row, "variant": row, "selection": selection, "task": "expression"}
    return predictions_table(who, probabilities, CLASSES, true, **run).assign(row=row, column=column)


def compared(tables):
    facts = pd.concat(tables)[["row", "column", "selection"]].drop_duplicates()
    facts = facts.assign(main_selection=facts["selection"] != "last")
    rows = list(dict.fromkeys(pd.concat(tables)["row"]))
    return compare_rows(rows, pd.concat(tables, ignore_index=True), facts)


def drawn(seed, share):
    return np.random.default_rng(seed).random(N) < share


def test_with_one_seed_it_is_a_paired_t_test_over_people():
    a, b = drawn(1, 0.66), drawn(2, 0.62)
    (pair,) = compared([answers("a", a), answers("b", b)]).to_dict("records")
    theirs = stats.ttest_rel(b.astype(float), a.astype(float))
    assert (pair["first"], pair["second"], pair["seeds"], pair["n"]) == ("b", "a", 1, N)
    assert pair["difference"] == pytest.approx(b.mean() - a.mean())
    assert pair["p_value"] == pytest.approx(max(theirs.pvalue, pair["mcnemar"]), rel=0.1)
    interval = theirs.confidence_interval()
    assert (pair["low"], pair["high"]) == pytest.approx((interval.low, interval.high), abs=0.005)
    assert np.isnan(pair["of_training"])
    assert pair["standard_error"] == pair["of_faces"]


def test_two_seeds_that_disagree_widen_the_error_as_worked_out_by_hand():
    tables = [answers("a", drawn(9, 0.6), seed) for seed in (0, 1)]
    tables += [answers("b", drawn(9, 0.6 + gain), seed) for seed, gain in ((0, 0.3), (1, 0.1))]
    (pair,) = compared(tables).to_dict("records")
    gains = [t["y_pred"].eq(t["y_true"]).mean() for t in tables]
    by_seed = np.array([gains[2] - gains[0], gains[3] - gains[1]])
    of_seeds = by_seed.std(ddof=1) / 2**0.5
    assert pair["seeds"] == 2
    assert pair["difference"] == pytest.approx(by_seed.mean())
    assert pair["of_training"] == pytest.approx(of_seeds)
    assert pair["standard_error"] == pytest.approx(np.hypot(pair["of_faces"], of_seeds))
    freedom = pair["standard_error"] ** 4 / (pair["of_faces"] ** 4 / (N - 1) + of_seeds**4 / 1)
    expected = 2 * stats.t.sf(pair["difference"] / pair["standard_error"], freedom)
    assert pair["p_value"] == pytest.approx(expected)
    assert pair["p_value"] > 0.05  # two seeds, of which one gained three times as much, prove nothing
    assert (pair["low"], pair["high"]) == (-1, 1)


def test_every_two_rows_are_corrected_together_and_told_against_the_first():
    tables = [answers(row, drawn(7, share)) for row, share in (("a", 0.5), ("b", 0.52), ("c", 0.9))]
    found = compared(tables)
    assert found[["second", "first"]].to_numpy().tolist() == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert set(found["comparisons"]) == {3}
    assert (found["corrected"] >= found["p_value"]).all()
    first, second, caution = against_the_first(found)
    assert first.startswith("b is ")
    assert second.endswith(": significant after correction for 3 comparisons.")
    assert "drawing faces only" in caution


def test_columns_are_families_of_their_own_and_named_where_there_are_several():
    tables = [answers(row, drawn(7, share), column=c) for c in "AB" for row, share in (("a", 0.5), ("b", 0.9))]
    found = compared(tables)
    assert found["comparisons"].tolist() == [1, 1]
    assert [sentence[:6] for sentence in against_the_first(found)] == ["On A: "] * 2 + ["On B: "] * 2


def test_a_seed_without_all_its_folds_and_an_oracle_do_not_count():
    tables = [answers(row, drawn(7, 0.5)[:200], seed, fold=f) for row in "ab" for seed in (0, 1) for f in (0, 1)]
    oracles = [answers("a", np.ones(200, bool), 0, fold=f, selection="oracle_test") for f in (0, 1)]
    (pair,) = compared([*tables[:6], tables[7], *oracles]).to_dict("records")
    assert (pair["seeds"], pair["n"], pair["difference"]) == (1, 400, 0)
    assert (pair["p_value"], pair["distinguishable"]) == (1, False)


def test_rows_that_answered_other_faces_are_not_compared():
    other = answers("b", drawn(1, 0.5), names=[f"x{number}" for number in range(N)])
    assert compared([answers("a", drawn(1, 0.5)), other]).empty


def test_several_images_of_a_person_are_drawn_together():
    right = {row: np.repeat(drawn(seed, share)[:40], 10) for row, seed, share in (("a", 1, 0.7), ("b", 2, 0.5))}
    people = [f"p{number // 10}" for number in range(N)]
    alone = compared([answers(row, own) for row, own in right.items()]).iloc[0]
    known = compared([answers(row, own).assign(subject=people) for row, own in right.items()]).iloc[0]
    assert np.isnan(alone["people"])
    assert known["people"] == 40
    assert known["of_faces"] == pytest.approx(alone["of_faces"] * 10**0.5, rel=0.15)
    assert "n = 400 faces of 40 people" in against_the_first(pd.DataFrame([known]))[0]
