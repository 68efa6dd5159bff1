"""The registry of metrics: a new entry appears in every table, and every entry is complete."""

import numpy as np
import pandas as pd
import pytest
from random_runs import CLASSES, random_run
from tests.evaluation.made_runs import facts_of, write_run

from openfer.evaluation.bootstrap import bootstrap_intervals
from openfer.evaluation.entries import entries_of
from openfer.evaluation.fairness import fairness
from openfer.evaluation.leaderboard import leaderboard
from openfer.evaluation.metrics import METRICS, RESAMPLED, Answers, Metric, concordance, named
from openfer.evaluation.published import published_table
from openfer.evaluation.results_table import results_table, to_markdown
from openfer.evaluation.study_table import COMPARED, Wanted, study_table
from openfer.evaluation.study_table import to_markdown as study_markdown
from openfer.io.runs import find_runs
from openfer.report import report
from openfer.runs.study_settings import Study
from openfer.schemas import group_table


@pytest.fixture
def worst_recall(monkeypatch):
    """A metric that a reader might add: the recall of the class that is recognised worst."""
    metric = Metric(
        "worst_recall",
        "worst recall",
        lambda answers: np.nanmin(answers.right / answers.true, axis=-1),
        "classes",
        "smallest recall of the classes that the test set shows",
        "%",
    )
    monkeypatch.setitem(METRICS, metric.name, metric)
    return metric.name


def runs(variant="addl", skills=(1.0, 2.0), **kind):
    """One run per seed on the same faces, better from seed to seed."""
    made = [random_run(240, 3, skill, method=variant).assign(seed=seed, **kind) for seed, skill in enumerate(skills)]
    return pd.concat(made, ignore_index=True)


def worst(run):
    return (run["y_true"] == run["y_pred"]).groupby(run["y_true"]).mean().min()


def test_a_new_entry_is_in_the_results_table_with_mean_and_deviation(worst_recall):
    both = runs()
    facts = [facts_of("addl", "addl", selection="last", seed=seed) for seed in (0, 1)]
    table = results_table(both, facts)
    expected = [worst(run) for _, run in both.groupby("seed")]
    assert table[worst_recall].tolist() == pytest.approx([np.mean(expected)])
    assert table[f"{worst_recall}_std"].tolist() == pytest.approx([np.std(expected, ddof=1)])
    head, _, row = to_markdown(table, []).splitlines()[:3]
    cells = dict(zip(head.split(" | "), row.split(" | "), strict=True))
    assert cells["worst recall %"] == f"{100 * np.mean(expected):.1f}"


def test_a_new_entry_is_in_the_leaderboard_and_on_the_page(worst_recall, tmp_path):
    both = runs(selection="best_val")
    for seed, run in both.groupby("seed"):
        write_run(tmp_path, f"addl_{seed}", run, [facts_of("addl", "addl", seed=seed)])
    found = find_runs(tmp_path)
    (line,) = leaderboard(entries_of(found), published_table()).to_dict("records")
    expected = np.mean([worst(run) for _, run in both.groupby("seed")])
    assert line[worst_recall] == pytest.approx(expected)
    made = report(found, [], published_table())
    for text in (made.page, made.markdown, made.latex):
        assert "worst recall" in text
        assert f"{100 * expected:.1f}" in text


def test_a_new_entry_has_an_interval_for_the_whole_and_for_every_group_and_a_gap_between_groups(worst_recall):
    run = random_run(240)
    groups = group_table({("age", "young"): run["sample_id"][:120], ("age", "old"): run["sample_id"][120:]})
    scores, gaps = fairness(run, groups, repeats=100)
    own = scores[scores["metric"] == worst_recall].set_index("group")
    for group, part in (("all", run), ("young", run[:120]), ("old", run[120:])):
        assert own.loc[group, "value"] == pytest.approx(worst(part))
        assert own.loc[group, "low"] < own.loc[group, "high"]
    assert gaps.set_index("metric").loc[worst_recall, "gap"] == pytest.approx(abs(worst(run[:120]) - worst(run[120:])))
    assert set(bootstrap_intervals(run, repeats=10)["metric"]) == set(named(*RESAMPLED))


def test_a_new_entry_can_be_the_measure_of_a_study(worst_recall):
    study = Study.model_validate(
        {"title": "t", "measures": [worst_recall], "columns": {"mine": {"datasets": ["mine"]}}, "rows": {}}
        | {"rows": {"ADDL": {"method": "addl"}}}
    )
    where = {"row": "ADDL", "column": "mine"}
    wanted = [Wanted("ADDL", "mine", measure, (0, 1), (0,), ("mine",)) for measure in study.measures]
    told = [facts_of("addl", "addl", selection="last", seed=seed, **where) for seed in (0, 1)]
    cells = pd.DataFrame([where | {"seed": seed, "fold": 0, "state": "done", "error": ""} for seed in (0, 1)])
    both = runs()
    table = study_table(wanted, both.assign(**where), pd.DataFrame(told), cells, pd.DataFrame())
    expected = [100 * worst(run) for _, run in both.groupby("seed")]
    (line,) = table.to_dict("records")
    assert (line["measure"], line["unit"], line["seeds"], line["n"]) == (worst_recall, "%", 2, 240)
    assert (line["ours"], line["sd"]) == pytest.approx((np.mean(expected), np.std(expected, ddof=1)))
    words = study_markdown("t", table, pd.DataFrame(columns=list(COMPARED)))
    assert f"| {worst_recall} % |" in words


def test_a_study_names_the_metrics_that_there_are():
    with pytest.raises(ValueError, match="there is no metric 'f1'; the metrics are accuracy, fold_accuracy"):
        Study.model_validate(
            {"title": "t", "measures": ["f1"], "columns": {"a": {"datasets": ["a"]}}}
            | {"rows": {"ADDL": {"method": "addl"}}}
        )


@pytest.mark.parametrize("name", list(METRICS))
def test_every_entry_has_a_title_and_a_source_and_stands_under_its_own_name(name):
    metric = METRICS[name]
    assert metric.name == name
    assert metric.title
    assert metric.source


def test_every_name_of_the_papers_is_in_the_published_table():
    printed = {name for metric in METRICS.values() for name in metric.printed}
    assert printed <= set(published_table()["metric"])


@pytest.mark.parametrize("name", named(*RESAMPLED))
def test_a_resampled_formula_scores_many_at_once(name):
    run = random_run(80)
    one = Answers.of_run(run, CLASSES)
    parts = (one.true, one.predicted, one.right, one.gaps)
    many = Answers(*(np.broadcast_to(part, (3, 2, *part.shape)) for part in parts))
    np.testing.assert_allclose(METRICS[name].of(many), np.full((3, 2), METRICS[name].of(one)))


@pytest.mark.parametrize("seed", range(3))
def test_the_concordance_coefficient_is_torchmetrics(seed):
    import torch
    from torchmetrics.functional import concordance_corrcoef

    true, predicted = np.random.default_rng(seed).uniform(-1, 1, (2, 50))
    theirs = concordance_corrcoef(torch.tensor(predicted), torch.tensor(true))
    assert concordance(true, predicted) == pytest.approx(float(theirs))
