"""Raw folders that are not there, relative ones, and `~`."""

import logging
import shutil
from pathlib import Path

import pytest

from openfer.errors import DataError
from openfer.parameters import RawFolder
from openfer.runs.datasets import placed
from tests.conftest import TinyFaces
from tests.pipelines.in_process import Workshop, typed
from tests.pipelines.raw_folders import RAW, Pictures

BLOCK = {
    "reader": "folder",
    **RAW["folder"].parameters,
    "protocol": {"kind": "subject_folds", "folds": 3, "validation_share": 0.3},
    "faces": {"workers": 1, "size": 64, "align": "whole"},
}


@pytest.fixture
def workshop(tmp_path: Path, tiny_faces: TinyFaces) -> Workshop:
    workshop = Workshop.new(tmp_path / "project")
    RAW["folder"].build(workshop.raw("mine"), Pictures(tiny_faces))
    workshop.describe("mine", **BLOCK)
    return workshop


@pytest.mark.slow
def test_a_root_that_does_not_exist_has_no_verdict_and_other_results_are_called_old(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    workshop.run("doctor ingest", "mine")
    shutil.move(workshop.raw("mine"), workshop.path / "elsewhere")
    with pytest.raises(DataError, match=r"mine\.root is .*raw/mine, which does not exist.*Set mine\.root"):
        workshop.run("doctor", "mine")
    caplog.clear()
    assert workshop.run("ingest", "mine") == []
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    told = [words for words in warned if "mine.root is" in words and "the copy that was there before" in words]
    assert len(told) == 2  # before the results and after them


@pytest.mark.slow
def test_a_relative_root_is_the_project_s_in_any_folder(workshop: Workshop) -> None:
    workshop.describe("mine", **BLOCK, root="raw/mine")
    arguments = ("--pipelines", "doctor", "--params", "dataset=mine")
    workshop.run("doctor", "mine")
    shutil.copytree(workshop.raw("mine"), workshop.path / "conf/raw/mine")  # what a command there would have read
    assert "the copy itself is whole" in typed(workshop.path, *arguments, folder="conf")
    shutil.rmtree(workshop.raw("mine"))
    said = typed(workshop.path, *arguments, folder="conf", expect=1)
    assert f"mine.root is {workshop.raw('mine')}, which does not exist" in said


def test_a_root_may_begin_with_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert RawFolder.model_validate("~/raf_db").root == tmp_path / "raf_db"
    block = {"reader": "folder", "root": "~/raf_db"}
    assert placed({"mine": block, "seed": 1}, Path("/project")) == {
        "mine": {"reader": "folder", "root": str(tmp_path / "raf_db")},
        "seed": 1,
    }


@pytest.mark.slow
@pytest.mark.parametrize("key", ["datasets", "test_datasets"])
def test_a_dataset_that_nothing_describes_is_refused_before_any_work(tmp_path: Path, key: str) -> None:
    project = Workshop.new(tmp_path / "project").path
    said = typed(project, "--pipelines", "baseline", "--params", f"baseline.{key}=[rafdb]", expect=1)
    assert f"'rafdb' ({key}), which is not described; did you mean 'raf_db'? The datasets are" in said
