import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from openfer.errors import DataError
from openfer.evaluation.results_table import ORACLE, render_terminal, results_table, to_markdown

CLASSES = ("neutral", "happiness", "fear")


def predictions(right, method="addl", **names):
    true = np.array([CLASSES[i % 3] for i in range(200)], dtype=object)
    table = pd.DataFrame({"sample_id": [f"s{i}" for i in range(200)], "y_true": true})
    table["y_pred"] = np.where(np.arange(200) < right, true, np.roll(true, 1))
    defaults = {"fold": 0, "seed": 0, "method": method, "variant": method, "selection": "last", "task": "expression"}
    table = table.assign(**(defaults | names))
    return table.assign(**{f"p_{name}": (table.y_pred == name).astype(float) for name in CLASSES})


def facts_of(runs, **changed):
    keys = runs[["method", "variant", "selection", "seed"]].drop_duplicates().to_dict("records")
    known = {"initialisation": "none", "data_version": "0a1b2c3d4e5f", "tested_on": "test", "epoch": 6}
    return [key | known | changed for key in keys]


@pytest.fixture
def runs():
    tables = [
        predictions(150, "baseline"),
        predictions(164, selection="oracle_test"),
        predictions(160),
        predictions(156, seed=1),
    ]
    return pd.concat(tables)


def shown(table, sentences=(), width=100):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(render_terminal(table, sentences))
    return console.export_text()


def test_one_row_per_method_and_selection_with_all_that_a_result_needs(runs):
    table = results_table(runs, facts_of(runs))
    assert table.name.tolist() == ["Baseline", "ADDL", "ADDL"]
    assert table.selection.tolist() == ["last", "last", "oracle_test"]
    addl = table.iloc[1]
    assert (addl.n, addl.seeds, addl.epoch, addl.data_version) == (200, 2, "6", "0a1b2c3d4e5f")
    assert addl.accuracy == pytest.approx(0.79)
    assert addl.accuracy_std == pytest.approx(np.std([0.8, 0.78], ddof=1))


def test_the_terminal_shows_accuracy_with_its_error_n_seeds_and_selection(runs):
    text = shown(results_table(runs, facts_of(runs)), ["ADDL is above Baseline."])
    words = next(line.split() for line in text.splitlines() if line.strip().startswith("Baseline"))
    assert words[:5] == ["Baseline", "last", "75.0", "±", "3.1"]
    assert words[-3:] == ["200", "1", "6"]
    assert "2 (sd 1.4)" in text
    assert "initialisation: none" in text
    assert "data: 0a1b2c3d4e5f" in text
    assert text.rstrip().endswith("ADDL is above Baseline.")


def test_a_narrow_terminal_breaks_long_names_and_no_number():
    tables = [predictions(150, "baseline"), predictions(160, "manet", variant="manet branch spatial channel")]
    runs = pd.concat(tables)
    text = shown(results_table(runs, facts_of(runs)), width=80)
    assert "…" not in text
    for number in ("75.0 ± 3.1", "80.0 ± 2.8", "200"):
        assert number in text
    assert all(word in text for word in ("MA-Net", "spatial", "channel"))


def test_oracle_rows_stand_below_a_rule_and_are_called_not_comparable(runs):
    lines = shown(results_table(runs, facts_of(runs))).splitlines()
    rule = next(i for i, line in enumerate(lines) if "the epoch was chosen on the test set" in line)
    oracle = next(i for i, line in enumerate(lines) if "82.0" in line)
    assert rule < oracle
    assert not any("oracle" in line for line in lines[:rule])


def test_markdown_keeps_oracles_out_of_the_main_table(runs):
    text = to_markdown(results_table(runs, facts_of(runs)), ["One sentence."])
    main, oracle = text.split(f"**{ORACLE}**")
    assert "| ADDL | last | 79.0 ± 2.9 |" in main
    assert "82.0" not in main
    assert f"| ADDL | {ORACLE} | 82.0" in oracle
    assert text.endswith("- One sentence.\n")


def test_rows_of_one_selection_stand_together():
    kinds = [(m, s) for m in ("baseline", "addl") for s in ("oracle_test", "last", "best_val")]
    runs = pd.concat([predictions(150, method, selection=selection) for method, selection in kinds])
    table = results_table(runs, facts_of(runs))
    assert table.selection.tolist() == ["last", "last", "best_val", "best_val", "oracle_test", "oracle_test"]
    assert table.name.tolist() == ["Baseline", "ADDL"] * 3


def test_facts_that_differ_become_columns(runs):
    facts = facts_of(runs)
    facts[0]["initialisation"] = "imagenet"
    assert "| initialisation |" in to_markdown(results_table(runs, facts), [])


def test_epochs_that_differ_between_seeds_are_all_named(runs):
    facts = facts_of(runs)
    facts[3]["epoch"] = 4
    assert results_table(runs, facts).epoch.tolist() == ["6", "6, 4", "6"]


def test_folds_show_the_mean_of_their_accuracies():
    runs = predictions(150)
    runs["fold"] = (runs.index >= 150).astype(int)
    text = to_markdown(results_table(runs, facts_of(runs)), [])
    assert "mean of folds %" in text
    assert "| 75.0 ± 3.1 | 50.0 |" in text


def test_seeds_and_folds_that_ran_apart_are_one_line_with_mean_deviation_and_counts():
    right = {(seed, fold): 30 + 4 * seed + fold for seed in (0, 1) for fold in range(5)}
    tables = []
    for (seed, fold), good in right.items():
        part = predictions(good, seed=seed, fold=fold).iloc[:40]
        tables.append(part.assign(sample_id=f"f{fold}" + part["sample_id"]))
    facts = [facts_of(table, epoch=3 + number)[0] for number, table in enumerate(tables)]
    table = results_table(pd.concat(tables), facts)
    (line,) = table.to_dict("records")
    accuracies = [sum(right[seed, fold] for fold in range(5)) / 200 for seed in (0, 1)]
    assert (line["seeds"], line["folds"], line["n"], line["epoch"]) == (2, 5, 200, "3 to 12")
    assert line["accuracy"] == pytest.approx(np.mean(accuracies))
    assert line["accuracy_std"] == pytest.approx(np.std(accuracies, ddof=1))
    text = to_markdown(table, [])
    assert f"| 200 | 5 | 2 (sd {100 * np.std(accuracies, ddof=1):.1f}) | 3 to 12 |" in text


def test_a_class_that_the_test_set_lacks_is_named():
    runs = predictions(150).query("y_true != 'fear'")
    assert "not in the test set: fear" in to_markdown(results_table(runs, facts_of(runs)), [])


def test_a_run_without_its_data_version_is_not_reported(runs):
    with pytest.raises(DataError, match=r"lacks \['data_version'\]"):
        results_table(runs, facts_of(runs, data_version=None))


def test_a_run_without_any_facts_is_not_reported(runs):
    with pytest.raises(DataError, match="'seed': 1"):
        results_table(runs, facts_of(runs)[:3])


def test_a_run_of_forty_tasks_is_shown_by_their_mean_and_its_extremes_and_kept_whole_in_the_table():
    many = pd.concat([predictions(100 + 2 * i, task=f"attribute/{i:02d}") for i in range(40)])
    runs = pd.concat([many, predictions(150, "baseline")])
    table = results_table(runs, facts_of(runs))
    assert len(table) == 41
    text = to_markdown(table, [])
    rows = [line for line in text.splitlines() if line.startswith("| ") and "method" not in line and "---" not in line]
    assert len(rows) == 2
    addl = next(row for row in rows if "ADDL" in row)
    assert "| 69.5 |" in addl
    assert "mean of 40 tasks, from attribute/00 50.0 % to attribute/39 89.0 %" in addl
    assert "| 75.0 ± 3.1 |" in next(row for row in rows if "Baseline" in row)
