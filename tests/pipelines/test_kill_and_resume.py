"""kill -9 in the middle of `kedro run`, then the same command again."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from openfer.io.atomic import sha256_of
from tests.pipelines.conftest import Project


@pytest.mark.slow
def test_a_killed_addl_run_ends_with_the_weights_of_an_uninterrupted_one(copy_of_finished: Project) -> None:
    data = copy_of_finished.path / "data"
    uninterrupted = sha256_of(data / "06_models/addl/selected")
    shutil.rmtree(data / "06_models/addl")

    until_trained = ("--pipelines", "addl", "--to-nodes", "addl.train")
    command = [sys.executable, "-m", "kedro", "run", *until_trained]
    running = subprocess.Popen(command, cwd=copy_of_finished.path, start_new_session=True, stderr=subprocess.DEVNULL)
    _wait_for_first_checkpoint(data / "02_intermediate/.work/addl", running)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert not (data / "06_models/addl/selected").exists()

    said = copy_of_finished.run(*until_trained)
    assert "addl continues at stage joint, epoch 2 of 2" in said
    assert "running     dfem.train" not in said
    assert sha256_of(data / "06_models/addl/selected") == uninterrupted
    assert not (data / "02_intermediate/.work/addl").exists()


def _wait_for_first_checkpoint(folder: Path, running: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while not list(folder.glob("*/*.safetensors")):
        assert running.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "no checkpoint within two minutes"
        time.sleep(0.02)
