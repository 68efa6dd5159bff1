"""Many runs at once: what belongs on one machine, and a study by Ray beside the same one run after the other."""

import re
import shutil
from multiprocessing.process import BaseProcess
from pathlib import Path

import pandas as pd
import psutil
import pytest
from kedro.pipeline import Pipeline, node
from tests.pipelines.conftest import Project
from tests.pipelines.in_process import typed
from tests.prepared import PATIENCE, start_kedro

from openfer.errors import ParameterError
from openfer.io.atomic import sha256_of
from openfer.runners import RayRunner
from openfer.runners.many import refuse_more
from openfer.runners.units import order_of, units_of
from openfer.runs.tags import run_tag

STUDY = """
study: three
three:
  title: Three
  seeds: [3]
  columns: {F: {datasets: [synthetic_fer]}}
  rows:
    Baseline: {method: baseline}
    Slower: {method: baseline, changes: {baseline: {settings: {schedule: {learning_rate: 1.0e-5}}}}}
    Broken: {method: baseline, changes: {baseline: {settings: {schedule: {learning_rate: 1.0e+30}}}}}
"""
RUN_STUDY = ("--pipelines", "study", "--to-nodes", "studies.three.table")
"""Without pictures, whose bytes are not compared."""
WITH_RAY = (*RUN_STUDY, "--runner", "openfer.runners.RayRunner")
RESULTS = {".parquet", ".safetensors", ".arrow"}


def add(*numbers: int) -> int:
    return sum(numbers)


def of_a_run(slug: str, inputs: list[str], output: str):
    return node(add, inputs, output, name=f"m.{slug}.{output}", namespace=f"m.{slug}", tags=run_tag(slug))


def ended(process: BaseProcess, project: Project) -> str:
    """Return what a command has printed that ends with 1, as one of its runs fails."""
    process.join(PATIENCE)
    said = (project.path / "printed.log").read_text()
    assert process.exitcode == 1, said[-6000:]
    return said


def error_of(said: str) -> str:
    """Return the last words of a command."""
    return " ".join(said[said.rindex("Error: ") :].split())


def results(project: Project) -> dict[str, str]:
    files = (file for file in (project.path / "data").rglob("*") if file.suffix in RESULTS)
    return {str(file.relative_to(project.path)): sha256_of(file) for file in files}


def worker_of(process: BaseProcess, project: Project) -> psutil.Process:
    """Return the first process that trains a run and has kept a checkpoint."""
    while process.is_alive():
        process.join(0.3)  # the runs need the cores
        kept = list((project.path / "data/02_intermediate/.work").rglob("resume.safetensors"))
        for child in psutil.Process(process.pid).children(recursive=True) if kept else ():
            if any("run_part" in word for word in child.cmdline()):
                return child
    raise AssertionError((project.path / "printed.log").read_text()[-6000:])


def test_nodes_of_a_run_are_one_unit_which_waits_for_the_runs_it_needs():
    pipeline = Pipeline(
        [
            node(add, ["raw", "raw2"], "faces", name="d.faces", namespace="d"),
            of_a_run("first-1", ["faces"], "first-1_models"),
            of_a_run("second-1", ["faces", "first-1_models"], "second-1_models"),
            of_a_run("second-1", ["second-1_models"], "second-1_run"),
            node(add, ["first-1_models", "second-1_run"], "table", name="table"),
        ],
        inputs={"raw", "raw2"},
    )
    units = units_of(pipeline)
    assert [unit.slug for unit in units.values()] == [None, "first-1", "second-1", None]
    order, seen = order_of(units), []
    while order.is_active():
        seen.append(order.get_ready())
        order.done(*seen[-1])
    assert seen == [("d",), ("m.first-1",), ("m.second-1",), ("table",)]


@pytest.mark.parametrize("given", [{"cpus_per_run": "two"}, {"gpus_per_run": -1}])
def test_a_share_that_is_no_number_is_refused(given):
    with pytest.raises(ParameterError, match=next(iter(given))):
        RayRunner(**given)


@pytest.mark.parametrize(("name", "words"), [("cpus_per_run", "Ray has 8 CPUs"), ("gpus_per_run", "Ray has 0 GPUs")])
def test_more_than_a_cluster_has_is_refused_with_what_it_has(name, words):
    cluster = {"CPU": 8.0, "memory": 1e9}
    refuse_more({"cpus_per_run": 8, "gpus_per_run": 0}, cluster, "Ray")
    with pytest.raises(ParameterError, match=f"{name}=9, and {words} in all"):
        refuse_more({name: 9}, cluster, "Ray")


@pytest.fixture(scope="module")
def one(finished, tmp_path_factory):
    """Return a project whose study was trained one run after the other; tests must leave it as it is."""
    whole = tmp_path_factory.mktemp("one") / "project"
    project = Project(shutil.copytree(finished.path, whole, ignore=shutil.ignore_patterns("0[678]_*", "mlartifacts")))
    (project.path / "conf/local/parameters/study.yml").write_text(STUDY)
    (project.path / "first_run.txt").write_text(project.run(*RUN_STUDY, expect=1))
    return project


@pytest.fixture
def untrained(finished, one, tmp_path):
    """Return a copy of that project with its faces, and MLflow's database from before the study."""
    project = Project(shutil.copytree(one.path, tmp_path / "project"))
    for layer in ("06_models", "07_model_output", "08_reporting"):
        shutil.rmtree(project.path / "data" / layer)
    shutil.copy(finished.path / "mlflow.db", project.path)
    return project


@pytest.mark.slow
def test_a_study_by_ray_with_a_killed_worker_and_a_failing_run_ends_as_one_run_after_the_other(
    finished, one, untrained
):
    process = start_kedro(("run", *WITH_RAY), untrained.path, untrained.path / "printed.log")
    worker_of(process, untrained).kill()
    said = ended(process, untrained)
    assert results(untrained) == results(one)
    cells, before = (
        pd.read_csv(project.path / "data/08_reporting/studies/three/cells.csv").drop(columns="seconds")
        for project in (untrained, one)
    )
    assert cells.set_index("row")["state"].to_dict() == {"Baseline": "done", "Slower": "done", "Broken": "failed"}
    pd.testing.assert_frame_equal(cells, before)
    (broken,) = cells.loc[cells["state"] == "failed", "run"]
    assert (said.count("given out"), said.count("finished   "), said.count("failed      ")) == (3, 2, 1)
    assert f"failed      baseline.{broken}." in said
    assert error_of(said) == error_of((one.path / "first_run.txt").read_text())
    assert "not finite" in error_of(said)
    earlier = _mlflow_runs(finished.path)
    runs = {name: run for name, run in _mlflow_runs(untrained.path).items() if name not in earlier}
    (command,) = {parent for _, parent, _ in runs.values()} - {None}
    assert runs["study"] == (command, None, "FAILED")
    states = {name: state for name, (_, parent, state) in runs.items() if parent == command}
    assert states == {name: "FAILED" if name == broken else "FINISHED" for name in cells["run"]}


@pytest.mark.slow
def test_more_gpus_than_this_machine_has_are_refused_before_any_node_runs(untrained):
    said = typed(untrained.path, *WITH_RAY, "--runner-params", "gpus_per_run=64", expect=1)
    assert re.search(r"gpus_per_run=64, and this machine has \d+ GPUs in all; give at most as many", said)


@pytest.mark.slow
def test_what_is_up_to_date_starts_no_ray(one):
    complete, _ = one.run_folders("07_model_output", "baseline")
    said = typed(one.path, *WITH_RAY, "--to-nodes", f"baseline.{complete.name}.finish")
    assert ", 0 ran" in said
    assert "given out" not in said


def _mlflow_runs(project: Path) -> dict[str, tuple[str, str | None, str]]:
    """Return identity, parent and status of each MLflow run by name."""
    from mlflow import MlflowClient
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    found = client.search_runs([client.get_experiment_by_name("openfer").experiment_id])
    assert len(found) == len({run.info.run_name for run in found})
    return {
        run.info.run_name: (run.info.run_id, run.data.tags.get(MLFLOW_PARENT_RUN_ID), run.info.status) for run in found
    }
