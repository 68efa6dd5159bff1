"""The notebooks run from top to bottom on a handful of faces, and show what they showed when they were committed."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.pipelines.conftest import ROOT, new_project
from tests.prepared import PATIENCE, interpreter

SMALL = """
doctor: {workers: 1}
photographs: {faces: {workers: 1}}
addl_rows:
  runs:
    dfem: {settings: {schedule: {epochs: 2}}}
    baseline: {settings: {schedule: {epochs: 2}}}
    addl: {settings: {schedule: {epochs: 2}}}
"""
"""More processes take longer to start than these few photographs, and no cell shows the curves of many epochs."""

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST = 600_000
"""Bytes of all notebooks; each clone has them."""


def kinds(notebook: nbformat.NotebookNode) -> list[set[str]]:
    """Return what each cell shows: kinds of data, without the words on the standard error."""
    shown = [[o for o in cell.get("outputs", []) if o.get("name") != "stderr"] for cell in notebook.cells]
    return [{kind for o in outputs for kind in o.get("data", {"text": ""})} for outputs in shown]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_its_stored_outputs_show(path: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("OPENFER_NOTEBOOK", "small")
    project = new_project(tmp_path / "project").path
    (project / "conf/local/parameters/small.yml").write_text(SMALL)
    shutil.copytree(ROOT / "tests/evaluation/stored", project / "tests/evaluation/stored")
    (project / "notebooks").mkdir()
    notebook = nbformat.read(path, as_version=4)
    stored = kinds(notebook)
    with interpreter() as python:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(f"import sys; sys.executable = {python!r}"))
        place = {"metadata": {"path": str(project / "notebooks")}}
        NotebookClient(notebook, timeout=PATIENCE, resources=place).execute()
    assert kinds(notebook)[1:] == stored


def test_notebooks_are_short_light_and_stored_with_their_outputs() -> None:
    assert len(NOTEBOOKS) == 4
    assert sum(path.stat().st_size for path in NOTEBOOKS) < LARGEST
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        assert len(notebook.cells) <= 12
        assert any(kinds(notebook)), f"{path.name}: run it before committing"
        assert "Traceback" not in path.read_text()
