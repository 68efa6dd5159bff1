"""`kedro runs` on a tiny real project: what it lists, what it says has changed, and what it removes."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openfer.cli import cli
from openfer.io.provenance import read_record, record_path
from openfer.io.runs import Run, RunRecord
from openfer.pipelines import planned
from openfer.staleness import all_runs
from tests.pipelines.conftest import Project
from tests.pipelines.in_process import forget_pipelines

pytestmark = pytest.mark.slow

_LARGE = 1_000_000


@pytest.fixture(autouse=True)
def _forget_the_plan() -> Iterator[None]:
    yield
    planned._handed.clear()


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project whose small files a test may spoil; large ones are links, which it may remove."""
    shutil.copytree(finished.path, tmp_path / "project", copy_function=_linked)
    return Project(tmp_path / "project")


def _linked(source: str, copy: str) -> None:
    if Path(source).stat().st_size < _LARGE:
        shutil.copy2(source, copy)
    else:
        os.link(source, copy)


def typed(project: Project, *words: str, answer: str = "", expect: int = 0) -> str:
    """Type `kedro runs ...` in this process."""
    forget_pipelines()
    with contextlib.chdir(project.path):
        done: Result = CliRunner().invoke(cli, ["runs", *words], input=answer, env={"COLUMNS": "240"})
    assert done.exit_code == expect, f"{done.output}\n{done.exception!r}"
    return done.output


def runs(project: Project) -> dict[str, Run]:
    """Return the runs of the default pipeline by method."""
    return {run.method: run for run in all_runs(project.path / "data")}


def listed(project: Project) -> dict[str, dict]:
    return {line["method"]: line for line in json.loads(typed(project, "list", "--json"))}


def set_parameters(project: Project, text: str) -> None:
    (project.path / "conf/local/parameters/changed.yml").write_text(text)


def forge(output: Path, **changes: object) -> None:
    """Change what the record of an output says that it was made of."""
    record = json.loads(record_path(output).read_text())
    record_path(output).write_text(json.dumps(record | {"fingerprint": "another"} | changes))


def test_the_list_says_of_each_run_what_it_is_and_that_it_is_up_to_date(finished: Project) -> None:
    lines = listed(finished)
    assert list(lines) == ["addl", "baseline", "dfem"]
    assert {line["state"] for line in lines.values()} == {"up to date"}
    addl = lines["addl"]
    assert addl["slug"] == runs(finished)["addl"].name
    assert addl["row"] == "addl"
    assert (addl["seed"], addl["fold"], addl["datasets"], addl["selection"]) == (0, 0, ["synthetic_fer"], "best_val")
    assert addl["n"] == 14
    assert 0 <= addl["accuracy"] <= 1
    assert addl["bytes"] > 1e6
    said = typed(finished, "list")
    assert all(line["slug"] in said for line in lines.values())
    assert "up to date" in said
    assert "kedro runs why" not in said


def test_why_of_a_run_that_is_up_to_date_is_one_line(finished: Project) -> None:
    slug = runs(finished)["baseline"].name
    (line,) = typed(finished, "why", slug).splitlines()
    assert line.startswith(f"{slug} is up to date: a command skips its ")


def test_another_seed_makes_no_run_stale(project: Project) -> None:
    set_parameters(project, "baseline: {seed: 5, settings: {dropout: 0.1}}\n")
    assert listed(project)["baseline"]["state"] == "up to date"


def test_parameters_of_the_data_change_the_name_and_why_says_which(project: Project) -> None:
    sizes = project.path / "conf/local/parameters/tiny.yml"
    sizes.write_text(sizes.read_text().replace("people: 30, images_per_person: 2", "people: 30, images_per_person: 3"))
    assert {method: line["state"] for method, line in listed(project).items()} == {
        "addl": "stale",
        "baseline": "stale",
        "dfem": "stale",
    }
    known = runs(project)
    said = typed(project, "why", known["dfem"].name)
    assert f"{known['dfem'].name} is stale" in said
    assert "its name would be dfem-s0-f0-" in said
    assert "the parameters of synthetic_pie, synthetic_raf have changed" in said
    assert "parameter synthetic.raf.images_per_person: 2 -> 3 (synthetic_" in said
    assert "follows, if their results differ" in said
    said = typed(project, "why", known["addl"].name)
    assert f"its prerequisite {known['dfem'].name} is dfem-s0-f0-" in said


def test_a_setting_with_another_default_is_named(project: Project) -> None:
    run = runs(project)["baseline"]
    models = run.folders[0] / "selected"
    parameters = read_record(models).parameters
    parameters[f"params:runs.{run.name}"]["settings"]["dropout"] = 0.25
    forge(models, parameters=parameters)
    said = typed(project, "why", run.name)
    assert "its name would be" not in said  # its own record has the settings of today
    assert "parameter baseline.settings.dropout: 0.25 -> 0.5 (train)" in said
    assert "predict" in said.partition("follows")[2]


def test_changed_code_and_inputs_are_named(project: Project) -> None:
    run = runs(project)["baseline"]
    record = read_record(run.folders[0] / "selected")
    forge(run.folders[0] / "selected", code=record.code | {"openfer.losses.focal": "0" * 12})
    history = run.folders[2] / "curves.png"
    forge(history, inputs={f"{run.name}_history": "another"})
    said = typed(project, "why", run.name)
    assert "the code of openfer.losses.focal has changed (train)" in said
    assert "input" not in said  # training is going to write the history again: the curves follow
    forge(run.folders[2] / "distances.csv", inputs={f"{run.name}_features": "another"})
    assert listed(project)["baseline"]["state"] == "stale"


def test_a_missing_output_and_a_changed_one_are_named(project: Project) -> None:
    run = runs(project)["baseline"]
    (run.folders[2] / "confusion.png").unlink()
    assert "confusion_picture is missing or incomplete (evaluate)" in typed(project, "why", run.name)
    (run.folders[2] / "distances.csv").write_text("changed by hand\n")
    assert "distances.csv has changed since openfer made it" in typed(project, "why", run.name)


def test_settings_that_are_not_valid_any_more_are_named(project: Project) -> None:
    run = runs(project)["baseline"]
    record = run.record
    old = record.settings | {"settings": record.settings["settings"] | {"depth": 18}}
    run.record_path.write_text(record.model_copy(update={"settings": old}).model_dump_json())
    said = typed(project, "why", run.name)
    assert "its stored settings are not valid any more" in said
    assert "baseline.settings.depth: there is no such parameter" in said


def test_an_interrupted_run_and_a_failed_one_are_told_apart(project: Project) -> None:
    known = runs(project)
    known["addl"].record_path.unlink()
    failed = RunRecord(slug=known["baseline"].name, state="failed", settings={}, row="", error="DataError: no room")
    known["baseline"].record_path.write_text(failed.model_dump_json())
    (project.path / "data/02_intermediate/.work/esr.esr-s1-f0-123abc/deadbeef").mkdir(parents=True)
    lines = listed(project)
    assert (lines["addl"]["state"], lines["baseline"]["state"], lines["esr"]["state"]) == (
        "incomplete",
        "failed",
        "incomplete",
    )
    # what failed or was interrupted is described by the plan that asks for it
    assert (lines["baseline"]["row"], lines["addl"]["datasets"]) == ("baseline", ["synthetic_fer"])
    assert (lines["esr"]["seed"], lines["esr"]["accuracy"], lines["esr"]["when"]) == (1, None, None)
    assert "it failed: DataError: no room" in typed(project, "why", known["baseline"].name)
    said = typed(project, "why", known["addl"].name)
    assert "it was interrupted" in said
    assert "_run is missing or incomplete (finish)" in said
    said = typed(project, "remove", "--failed", "--yes")
    assert said.splitlines()[-1] == f"Removed {known['baseline'].name}."
    typed(project, "remove", "esr-s1-f0-123abc", "--yes")
    assert [run.method for run in all_runs(project.path / "data")] == ["addl", "dfem"]


def test_removing_names_folders_and_who_needs_them_and_asks(project: Project) -> None:
    known = runs(project)
    dfem = known["dfem"]
    said = typed(project, "remove", dfem.name, answer="n\n", expect=1)
    assert all(str(folder) in said for folder in dfem.folders)
    assert f"{dfem.name}: " in said
    assert " MB" in said
    assert f"{dfem.name} is needed by {known['addl'].name}; their next command trains it again" in said
    assert all(folder.is_dir() for folder in dfem.folders)
    said = typed(project, "remove", dfem.name, answer="y\n")
    assert not any(folder.exists() for folder in dfem.folders)
    assert listed(project)["addl"]["state"] == "stale"
    assert f"initialisation are missing or incomplete (nodes of {dfem.name})" in typed(
        project, "why", known["addl"].name
    )
    assert "Nothing to remove." in typed(project, "remove", "--failed")


def test_an_unknown_run_is_one_error_with_the_nearest_name(finished: Project) -> None:
    slug = runs(finished)["addl"].name
    said = typed(finished, "why", slug[:-1], expect=1)
    assert f"ParameterError: there is no run '{slug[:-1]}'; did you mean '{slug}'?" in said
    assert "Traceback" not in said
    assert "there is no run 'x'" in typed(finished, "remove", "x", expect=1)
    assert "name runs, or give --stale or --failed" in typed(finished, "remove", expect=2)
