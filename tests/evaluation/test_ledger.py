"""The ledger says of each run what made it, and what it does not know."""

import pandas as pd
import pytest
from tests.evaluation.made_runs import answers_of, facts_of, write_run

from openfer.evaluation.entries import UNKNOWN, entries_of
from openfer.evaluation.leaderboard import leaderboard
from openfer.evaluation.ledger import augmentation, ledger, spent
from openfer.evaluation.published import published_table
from openfer.io.runs import find_runs


def ledger_of(runs):
    entries, published = entries_of(runs), published_table()
    return ledger(entries, leaderboard(entries, published), published)


def test_a_row_per_run_with_all_that_made_it(made_runs):
    table = ledger_of(made_runs).set_index("run")
    assert list(table.index) == ["addl_0", "addl_1", "baseline"]
    row = table.loc["addl_1"]
    assert row["seed"] == "1"
    assert row["sampling"] == "all"
    assert row["augmentation"] == "crop 64, flip, jitter"
    assert (row["device"], row["precision"], row["threads"]) == ("cpu", "float32", "1")
    assert row["commit"] == "0123456789ab"
    assert row["initialisation_sha256"] == "none"
    assert row["wall_seconds"] == 4 * 2.5
    assert row["selection"] == "best_val"
    assert row["cpu_kwh"] == pytest.approx(4 * 900 / 3.6e6)
    assert pd.isna(row["gpu_kwh"])


def test_stages_that_draw_in_different_ways_are_all_named(tmp_path):
    run = {"method": "esr", "variant": "esr-2"}
    sampling = {"branch_1": {"kind": "all"}, "branch_2": {"kind": "balanced_subset", "per_class": 120}}
    own = answers_of(["a", "b"], ["fear", "anger"], ("fear", "anger"), {}, **run)
    write_run(tmp_path, "esr", own, [facts_of(**run, sampling=sampling)])
    (row,) = ledger_of(find_runs(tmp_path)).to_dict("records")
    assert row["sampling"] == "branch_1: all; branch_2: balanced_subset per_class=120"


def test_what_a_foreign_run_does_not_say_is_unknown(tmp_path):
    own = answers_of(["a", "b"], ["fear", "anger"], ("fear", "anger"), {}, method="rival", variant="rival")
    write_run(tmp_path, "rival", own, [])
    (row,) = ledger_of(find_runs(tmp_path)).to_dict("records")
    for name in ("initialisation", "initialisation_sha256", "sampling", "augmentation", "device", "commit"):
        assert row[name] == UNKNOWN, name
    assert row["accuracy"] == 1


def history_of(*rows):
    return pd.DataFrame(rows, columns=["stage", "epoch", "split", "name", "value"])


@pytest.mark.parametrize("history", [None, history_of(), history_of(["only", 1, "train", "main/total", 1.0])])
def test_nobody_measured_where_the_history_does_not_say(history):
    assert pd.isna(spent(history, "seconds"))


def test_energy_of_some_epochs_alone_is_not_that_of_the_run():
    measured = history_of(["one", 1, "train", "cpu_joules", 5.0], ["two", 1, "train", "cpu_joules", 7.0])
    assert spent(measured, "cpu_joules") == 12
    assert pd.isna(spent(pd.concat([measured, history_of(["two", 2, "train", "seconds", 2.0])]), "cpu_joules"))


def test_no_augmentation_is_a_crop_alone():
    assert augmentation({"crop": 96, "flip": False, "augment": []}) == "crop 96"
