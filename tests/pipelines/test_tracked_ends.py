"""How a run ended stands in MLflow: finished, failed or killed, with the machine's own curves."""

import os
import shutil
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import mlflow
import pytest

from tests.pipelines.conftest import Project, new_project
from tests.prepared import PATIENCE, start_kedro

# with one worker an interrupt may come inside a destructor, where Python drops it; a person then presses Ctrl-C again
MANY_FACES = "synthetic.fer.train_people=400,synthetic.image_size=64,synthetic.workers=2"


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A project with faces of its own and MLflow's database of another one, whose making takes longer than the test."""
    made = new_project(tmp_path / "project")
    shutil.copy(finished.path / "mlflow.db", made.path)
    return made


def runs_of(project: Project) -> dict[str, mlflow.entities.Run]:
    client = mlflow.MlflowClient(f"sqlite:///{project.path / 'mlflow.db'}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return {run.info.run_name: run for run in client.search_runs(experiments)}


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_reads_killed_and_has_the_machines_curves(project: Project, sent: int) -> None:
    (project.path / "conf/local/mlflow.yml").write_text("sampling_seconds: 1\n")
    words = ("run", "--pipelines", "synthesize", "--params", MANY_FACES)
    running = start_kedro(words, project.path, project.path / "printed.log")
    shards = project.path / "data/02_intermediate/.work/synthetic_fer"
    wait_until(lambda: any(shards.glob("*/shards/*.arrow")), running)
    os.kill(running.pid, sent)
    running.join(PATIENCE)
    run = runs_of(project)["synthesize"]
    assert run.info.status == "KILLED"
    assert any(name.startswith("system/") for name in run.data.metrics)


@pytest.mark.slow
def test_a_command_with_an_error_reads_failed_and_so_does_its_run_with_the_reason(
    copy_of_finished: Project,
) -> None:
    before, words = runs_of(copy_of_finished), "baseline.images.crop=80,baseline.images.size=72"
    copy_of_finished.run("--pipelines", "baseline", "--params", words, expect=1)
    runs = {name: run for name, run in runs_of(copy_of_finished).items() if name not in before}
    command, own = runs.pop("baseline"), runs.popitem()
    assert runs == {}
    assert own[0].startswith("baseline-s0-f0-")
    assert (command.info.status, own[1].info.status) == ("FAILED", "FAILED")
    assert own[1].data.tags["mlflow.parentRunId"] == command.info.run_id
    assert own[1].data.tags["error"] == command.data.tags["error"]


def wait_until(happened, running: BaseProcess) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert running.is_alive(), "the run ended before it could be stopped"
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.1)
