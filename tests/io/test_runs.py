"""The runs of a project: found wherever they lie, and known by their content."""

import shutil

import pytest
from tests.evaluation.made_runs import answers_of, facts_of, write_run
from tests.evaluation.made_studies import write_study

from openfer.errors import DataError
from openfer.io.provenance import Ingredients, write_record
from openfer.io.runs import Run, RunDataset, RunRecord, RunsDataset, find_runs

RUN = {"method": "addl", "variant": "addl"}


NAMES = ("addl-s0-f0-3fa92c", "addl-s1-f0-3fa92c")


@pytest.fixture
def root(tmp_path):
    for name in NAMES:
        own = answers_of(["a", "b"], ["fear", "anger"], ("fear", "anger"), {}, **RUN)
        write_run(tmp_path, name, own, [facts_of(**RUN)])
    return tmp_path


def folder_of(root, layer, name=NAMES[0]):
    return root / layer / "addl" / name


def test_runs_of_a_method_lie_side_by_side(root):
    runs = find_runs(root)
    assert [run.name for run in runs] == list(NAMES)
    assert len(runs[1].predictions) == 2
    assert runs[1].facts[0]["method"] == "addl"
    assert runs[1].picture("grad_cam") == folder_of(root, "08_reporting", NAMES[1]) / "grad_cam.png"
    assert Run(root, NAMES[1]).folders == runs[1].folders


def test_what_a_run_has_not_left_is_nothing(root):
    (run, _) = find_runs(root)
    folder_of(root, "07_model_output").joinpath("facts.json").unlink()
    folder_of(root, "06_models").joinpath("history.csv").unlink()
    folder_of(root, "08_reporting").joinpath("groups.csv").unlink()
    assert run.facts == []
    folder_of(root, "08_reporting").joinpath("gaps.csv").unlink()
    assert (run.history, run.groups, run.gaps, run.picture("attention"), run.faces("tiny")) == (None,) * 5
    assert (run.record, run.is_done) == (None, False)
    assert run.elsewhere is None
    assert run.with_features == []


def test_a_run_that_predicts_with_the_models_of_another_one_has_its_history(root):
    dataset = RunDataset(path=str(root), method="addl", slug=NAMES[0])
    shutil.rmtree(folder_of(root, "06_models"))
    assert Run(root, NAMES[0]).history is None
    dataset.save(RunRecord(slug=NAMES[0], state="done", settings={}, row="ADDL", trained=NAMES[1]))
    assert len(dataset.load().history) > 0


def test_the_record_of_a_run_is_read_back_and_a_failed_one_is_not_done(root):
    dataset = RunDataset(path=str(root), method="addl", slug=NAMES[0])
    assert not dataset.exists()
    record = RunRecord(slug=NAMES[0], state="done", settings={"seed": 0}, row="ADDL", scores={"expression": {"f1": 1}})
    dataset.save(record)
    assert dataset.exists()
    assert dataset.load().record == record
    dataset.fail("DataError: one face is gone")
    run = dataset.load()
    assert (run.is_done, run.record.state, run.record.error) == (False, "failed", "DataError: one face is gone")


def test_a_damaged_record_is_one_error(root):
    folder_of(root, "06_models").joinpath("run.json").write_text("{")
    with pytest.raises(
        DataError, match=r"run\.json is not the record of a run: Invalid JSON.*; delete it and run the same command"
    ):
        _ = Run(root, NAMES[0]).record


@pytest.mark.parametrize("asked", ["load", "content"])
def test_neither_run_nor_study_is_one_error_that_says_what_to_do_and_a_study_alone_is_none(tmp_path, asked):
    ask = getattr(RunsDataset(path=str(tmp_path)), asked)
    said = r"no run has left predictions in .*07_model_output and no study a table in .*kedro run --pipelines"
    with pytest.raises(Exception, match=said):  # Kedro wraps what a dataset raises as it loads
        ask()
    write_study(tmp_path, "table_3")
    assert find_runs(tmp_path) == []
    assert ask() is not None


def test_facts_that_are_no_json_are_one_error(root):
    folder_of(root, "07_model_output").joinpath("facts.json").write_text("{")
    with pytest.raises(DataError, match=rf"addl/{NAMES[0]}/facts\.json is no JSON"):
        _ = find_runs(root)[0].facts


@pytest.mark.parametrize(
    ("layer", "file"),
    [("07_model_output", "facts.json"), ("06_models", "history.csv"), ("08_reporting", "gaps.csv")],
)
def test_the_content_changes_with_any_file_that_is_read_and_with_no_other(root, layer, file):
    dataset = RunsDataset(path=str(root))
    before = dataset.content()
    folder_of(root, "08_reporting").joinpath("other.txt").write_text("not read")
    assert dataset.content() == before
    with folder_of(root, layer).joinpath(file).open("a") as opened:
        opened.write(" ")
    assert dataset.content() != before


def test_another_run_changes_the_content(root):
    dataset = RunsDataset(path=str(root))
    before = dataset.content()
    folder_of(root, "07_model_output").rename(folder_of(root, "07_model_output", "addl-s2-f0-3fa92c"))
    assert dataset.content() != before


def test_predictions_that_were_edited_by_hand_are_refused(root):
    path = folder_of(root, "07_model_output") / "predictions.parquet"
    write_record(path, Ingredients({}, {}, {}))
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError, match=r"predictions\.parquet has changed since openfer made it"):
        RunsDataset(path=str(root)).content()
