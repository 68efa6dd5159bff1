"""The runs of a project: found wherever they lie, and known by their content."""

import pytest
from tests.evaluation.made_runs import answers_of, facts_of, write_run
from tests.evaluation.made_studies import write_study

from openfer.errors import DataError
from openfer.io.provenance import write_record
from openfer.io.runs import RunsDataset, find_runs

RUN = {"method": "addl", "variant": "addl"}


@pytest.fixture
def root(tmp_path):
    for name in ("addl", "studies/table_3/addl"):
        own = answers_of(["a", "b"], ["fear", "anger"], ("fear", "anger"), {}, **RUN)
        write_run(tmp_path, name, own, [facts_of(**RUN)])
    return tmp_path


def test_runs_are_found_however_deep_they_lie(root):
    runs = find_runs(root)
    assert [run.name for run in runs] == ["addl", "studies/table_3/addl"]
    assert len(runs[1].predictions) == 2
    assert runs[1].facts[0]["method"] == "addl"
    assert runs[1].picture("grad_cam") == root / "08_reporting/studies/table_3/addl/grad_cam.png"


def test_what_a_run_has_not_left_is_nothing(root):
    (run, _) = find_runs(root)
    (root / "07_model_output/addl/facts.json").unlink()
    (root / "06_models/addl/history.csv").unlink()
    (root / "08_reporting/addl/groups.csv").unlink()
    assert run.facts == []
    (root / "08_reporting/addl/gaps.csv").unlink()
    assert (run.history, run.groups, run.gaps, run.picture("attention"), run.faces("tiny")) == (None,) * 5
    assert run.elsewhere is None
    assert run.with_features == []


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
    (root / "07_model_output/addl/facts.json").write_text("{")
    with pytest.raises(DataError, match=r"addl/facts\.json is no JSON"):
        _ = find_runs(root)[0].facts


@pytest.mark.parametrize(
    "file", ["07_model_output/addl/facts.json", "06_models/addl/history.csv", "08_reporting/addl/gaps.csv"]
)
def test_the_content_changes_with_any_file_that_is_read_and_with_no_other(root, file):
    dataset = RunsDataset(path=str(root))
    before = dataset.content()
    (root / "08_reporting/addl/other.txt").write_text("not read")
    assert dataset.content() == before
    with (root / file).open("a") as opened:
        opened.write(" ")
    assert dataset.content() != before


def test_another_run_changes_the_content(root):
    dataset = RunsDataset(path=str(root))
    before = dataset.content()
    (root / "07_model_output/addl").rename(root / "07_model_output/baseline")
    assert dataset.content() != before


def test_predictions_that_were_edited_by_hand_are_refused(root):
    path = root / "07_model_output/addl/predictions.parquet"
    write_record(path, {}, {}, "")
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError, match=r"predictions\.parquet has changed since openfer made it"):
        RunsDataset(path=str(root)).content()
