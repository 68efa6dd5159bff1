"""How a run ended stands in MLflow: finished, failed or killed, with the machine's own curves."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pytest

from tests.pipelines.conftest import PATIENCE, Project, new_project

# with one worker an interrupt may come inside a destructor, where Python drops it; a person then presses Ctrl-C again
MANY_FACES = "synthetic.fer.train_people=400,synthetic.workers=2"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "project")


def run_of(project: Project) -> mlflow.entities.Run:
    client = mlflow.MlflowClient(f"sqlite:///{project.path / 'mlflow.db'}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    (run,) = client.search_runs(experiments)
    return run


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_reads_killed_and_has_the_machines_curves(project: Project, sent: int) -> None:
    (project.path / "conf/local/mlflow.yml").write_text("sampling_seconds: 1\n")
    words = [sys.executable, "-m", "kedro", "run", "--pipelines", "synthesize", "--params", MANY_FACES]
    running = subprocess.Popen(words, cwd=project.path, stderr=subprocess.DEVNULL, start_new_session=True)
    shards = project.path / "data/02_intermediate/.work/synthetic_fer"
    wait_until(lambda: len(list(shards.glob("*/shards/*.arrow"))) >= 3, running)
    running.send_signal(sent)
    running.wait(PATIENCE)
    run = run_of(project)
    assert run.info.status == "KILLED"
    assert any(name.startswith("system/") for name in run.data.metrics)


@pytest.mark.slow
def test_a_run_with_an_error_reads_failed(project: Project, finished: Project) -> None:
    shutil.copytree(finished.path / "data", project.path / "data")
    project.run("--pipelines", "baseline", "--params", "baseline.images.crop=80,baseline.images.size=72", expect=1)
    assert run_of(project).info.status == "FAILED"


def wait_until(happened, running: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert running.poll() is None, "the run ended before it could be stopped"
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.1)
