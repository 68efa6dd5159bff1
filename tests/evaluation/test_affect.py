import numpy as np
import pandas as pd
import pytest
from tests.evaluation.made_runs import write_run

from openfer.errors import DataError
from openfer.evaluation.predictions import predictions_table
from openfer.evaluation.results_table import results_table, to_markdown
from openfer.evaluation.scores import score_runs, summarise
from openfer.io.runs import find_runs
from openfer.pipelines.evaluation_nodes import compare, evaluate
from openfer.schemas import PREDICTIONS

CLASSES = ("neutral", "happiness")
COLUMNS = tuple(f"{name}_{what}" for name in ("valence", "arousal") for what in ("n", "ccc", "rmse"))
COUNT = 40
RUN = {"fold": 0, "method": "addl_va", "variant": "addl_va", "selection": "best_val", "task": "expression"}


def predictions(seed=0, unlabelled=(), values=True, **names):
    """Every third sample is not rated for arousal."""
    draw = np.random.default_rng(seed)
    true = np.random.default_rng(9).uniform(-1, 1, (2, COUNT))
    true[1, ::3] = np.nan
    answers = np.nan_to_num(true) * 0.7 + 0.1 + draw.normal(0, 0.2, true.shape)
    share = draw.uniform(0, 1, COUNT)
    labels = [None if i in unlabelled else CLASSES[i % 2] for i in range(COUNT)]
    pairs = {name: (true[k], answers[k]) for k, name in enumerate(("valence", "arousal"))} if values else {}
    shares = np.stack([share, 1 - share], 1)
    who = [f"s{i:02d}" for i in range(COUNT)]
    return predictions_table(who, shares, CLASSES, labels, seed=seed, values=pairs, **(RUN | names))


def facts(*tables, main="best_val"):
    known = {"initialisation": "addl", "data_version": "0a1b2c3d4e5f", "tested_on": "test", "epoch": 3}
    keys = ["method", "variant", "selection", "seed"]
    runs = pd.concat(tables)[keys].drop_duplicates().to_dict("records")
    return [run | known | {"main_selection": run["selection"] == main} for run in runs]


def by_hand(true, predicted):
    pairs = [(t, p) for t, p in zip(true, predicted, strict=True) if t == t]
    n = len(pairs)
    mean_t, mean_p = sum(t for t, _ in pairs) / n, sum(p for _, p in pairs) / n
    var_t = sum((t - mean_t) ** 2 for t, _ in pairs) / (n - 1)
    var_p = sum((p - mean_p) ** 2 for _, p in pairs) / (n - 1)
    cov = sum((t - mean_t) * (p - mean_p) for t, p in pairs) / (n - 1)
    rmse = (sum((t - p) ** 2 for t, p in pairs) / n) ** 0.5
    return n, 2 * cov / (var_t + var_p + (mean_t - mean_p) ** 2), rmse


def test_both_measures_are_those_of_the_rated_samples():
    table = predictions()
    (row,) = score_runs(table).to_dict("records")
    for name, n in (("valence", COUNT), ("arousal", 26)):
        expected = by_hand(table[f"{name}_true"], table[f"{name}_pred"])
        assert expected[0] == n
        assert [row[f"{name}_{what}"] for what in ("n", "ccc", "rmse")] == pytest.approx(list(expected))


def test_concordance_worked_out_by_hand():
    """Halved answers about the same mean: variances 1 and 1/4, covariance 1/2, so 2 (1/2) / (1 + 1/4) = 0.8."""
    table = predictions().iloc[:3].assign(valence_true=[-1.0, 0, 1], valence_pred=[-0.5, 0, 0.5])
    (row,) = score_runs(table).to_dict("records")
    assert row["valence_ccc"] == pytest.approx(0.8)
    assert row["valence_rmse"] == pytest.approx((0.5 / 3) ** 0.5)


def test_an_answer_that_never_varies_agrees_with_nothing():
    (row,) = score_runs(predictions().assign(valence_pred=0.3)).to_dict("records")
    assert row["valence_ccc"] == 0
    assert row["valence_rmse"] > 0


def test_a_dimension_that_nobody_rated_has_no_score():
    (row,) = score_runs(predictions().assign(arousal_true=np.nan)).to_dict("records")
    assert row["arousal_n"] == 0
    assert np.isnan([row["arousal_ccc"], row["arousal_rmse"]]).all()
    assert row["valence_n"] == COUNT


def test_runs_that_regress_nothing_are_left_out():
    plain = predictions(values=False, method="baseline", variant="baseline")
    assert not set(COLUMNS) & set(score_runs(plain))
    both = score_runs(pd.concat([plain, predictions()]))
    assert both.dropna(subset="valence_n")["method"].tolist() == ["addl_va"]


def test_seeds_are_summarised_by_mean_and_spread():
    several = pd.concat([predictions(seed) for seed in (0, 1, 2)])
    scores = score_runs(several)
    (row,) = summarise(several).to_dict("records")
    for name in ("valence_ccc", "valence_rmse", "arousal_ccc", "arousal_rmse"):
        assert row[name] == pytest.approx(scores[name].mean())
        assert row[f"{name}_std"] == pytest.approx(np.std(scores[name].astype(float), ddof=1))
    assert (row["valence_n"], row["arousal_n"]) == (COUNT, 26)


def test_seeds_that_were_tested_on_different_samples_have_no_mean():
    with pytest.raises(DataError, match=r"differ in n, valence_n; their mean would be of different tests"):
        summarise(pd.concat([predictions(0), predictions(1).iloc[1:]]))


def test_a_face_without_a_class_counts_in_valence_and_in_no_score_of_classes():
    table = predictions(unlabelled=(1, 4))
    assert PREDICTIONS.validate(table)["y_true"].isna().sum() == 2
    assert score_runs(table)["valence_n"].tolist() == [COUNT]
    assert score_runs(table)["n"].tolist() == [COUNT - 2]
    evaluated = evaluate(table, facts(table))
    assert evaluated["per_class_table"]["support"].sum() == COUNT - 2


def test_a_row_that_says_nothing_true_is_refused():
    with pytest.raises(DataError, match="1 labels are not classes"):
        predictions(unlabelled=(0,), values=False)
    with pytest.raises(Exception, match="a row without a true class has a true valence or arousal"):
        PREDICTIONS.validate(predictions(unlabelled=(0,)).assign(valence_true=np.nan))


def test_results_and_metrics_hold_both_values_of_a_run_that_has_them():
    table = pd.concat([predictions(), predictions(selection="last")])
    evaluated = evaluate(table, facts(table))
    assert set(COLUMNS) < set(evaluated["results_table"])
    expected = score_runs(table).iloc[0]
    assert evaluated["metrics_json"]["affect.best_val"] == {name: expected[name] for name in COLUMNS}
    assert {"expression.best_val", "expression.last", "affect.last"} < set(evaluated["metrics_json"])


def test_the_terminal_and_the_page_show_both_values_with_how_many_were_rated():
    table = predictions()
    scores = score_runs(table)
    shown = to_markdown(results_table(table, facts(table)), [])
    head, _, row = shown.splitlines()[:3]
    assert "| CCC V / A | RMSE V / A | rated |" in head
    one = scores.iloc[0]
    assert f"| {one['valence_ccc']:.3f} / {one['arousal_ccc']:.3f} |" in row
    assert "| 40 / 26 |" in row
    both = pd.concat([table, predictions(seed=1)])
    assert "(sd 0." in to_markdown(results_table(both, facts(both)), [])


def test_a_method_without_values_beside_one_with_them_has_empty_cells(tmp_path):
    plain = predictions(values=False, method="baseline", variant="baseline")
    regressing = predictions(unlabelled=(1,))
    write_run(tmp_path, "baseline-s0-f0-a", plain[plain["sample_id"] != "s01"], facts(plain))
    write_run(tmp_path, "addl_va-s0-f0-a", regressing, facts(regressing))
    runs = {run.name: run for run in find_runs(tmp_path)}
    compared = compare({name: runs[name] for name in ("baseline-s0-f0-a", "addl_va-s0-f0-a")})
    assert compared["results_table"]["valence_ccc"].isna().tolist() == [True, False]
    line = next(line for line in compared["results_text"].splitlines() if line.startswith("| Baseline"))
    assert "|  |  |  |" in line


def test_results_of_runs_without_values_are_what_they_were():
    plain = predictions(values=False)
    evaluated = evaluate(plain, facts(plain))
    assert not [name for name in evaluated["results_table"] if "valence" in name]
    assert set(evaluated["metrics_json"]) == {"expression.best_val"}
