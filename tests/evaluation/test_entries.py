"""Which runs are one method, and what is said of runs that say little."""

from tests.evaluation.made_runs import answers_of, facts_of, write_run

from openfer.evaluation.entries import UNKNOWN, entries_of
from openfer.io.runs import find_runs

CLASSES = ("fear", "anger")
SAMPLES = ["a", "b", "c", "d"], ["fear", "anger", "fear", "anger"], CLASSES
RUN = {"method": "addl", "variant": "addl"}


def write(root, name, **facts):
    own = answers_of(*SAMPLES, {}, **RUN, seed=facts.get("seed", 0))
    write_run(root, name, own, [facts_of(**RUN, **facts)])


def test_runs_that_differ_in_their_seed_alone_are_one_entry(tmp_path):
    write(tmp_path, "one", seed=0)
    write(tmp_path, "two", seed=1)
    (entry,) = entries_of(find_runs(tmp_path))
    assert entry.folders == "one, two"
    assert entry.said("seed") == "0, 1"


def test_runs_that_differ_in_their_settings_are_two_entries_with_names_that_tell_them_apart(tmp_path):
    write(tmp_path, "one", config={"rate": 0.1})
    write(tmp_path, "two", config={"rate": 0.2}, seed=1)
    assert [entry.name for entry in entries_of(find_runs(tmp_path))] == ["ADDL (one)", "ADDL (two)"]


def test_two_runs_of_one_seed_are_never_averaged(tmp_path):
    write(tmp_path, "once")
    write(tmp_path, "again")
    assert [entry.folders for entry in entries_of(find_runs(tmp_path))] == ["again", "once"]


def test_predictions_without_facts_are_taken_and_nothing_is_invented_for_them(tmp_path):
    tables = answers_of(*SAMPLES, {}, method="rival", variant="rival", selection="last").assign(dataset="raf_db")
    write_run(tmp_path, "rival", tables, [])
    (entry,) = entries_of(find_runs(tmp_path))
    assert (entry.selection, entry.tested) == ("last", f"raf_db ({UNKNOWN})")
    assert entry.said("initialisation") == UNKNOWN
    assert len(entry.main("expression")) == 4


def test_seeds_with_unlike_folds_have_no_common_mean_and_stand_apart(tmp_path):
    for name, seed, fold in (("a", 0, 0), ("b", 0, 1), ("c", 1, 0)):
        write(tmp_path, name, seed=seed, fold=fold)
    assert [entry.folders for entry in entries_of(find_runs(tmp_path))] == ["a", "b", "c"]
    write(tmp_path, "d", seed=1, fold=1)
    assert [entry.folders for entry in entries_of(find_runs(tmp_path))] == ["a, b, c, d"]
