"""Commands in one checkout: one makes a thing alone, many use it, and a killed one holds nothing."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from openfer.errors import RunError
from openfer.io import locks
from openfer.io.locks import Locks, alone

HOLD = """
import sys, time
from pathlib import Path
from openfer.io.locks import Locks
held = Locks(Path(sys.argv[1]))
held.make("mine", lambda: False) if sys.argv[2] == "make" else held.use("mine")
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def other(tmp_path: Path):
    """Start another process that makes or uses ``mine``; returns its process."""
    started = []

    def start(how: str) -> "subprocess.Popen[str]":
        words = [sys.executable, "-c", HOLD, str(tmp_path), how]
        running = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        started.append(running)
        assert running.stdout is not None
        assert running.stdout.readline() == "held\n"
        return running

    yield start
    for running in started:
        running.kill()
        running.wait()


def test_what_another_command_uses_is_not_made_anew_and_the_error_names_it(
    tmp_path: Path, other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_PATIENCE", 0.3)
    running = other("use")
    mine = Locks(tmp_path)
    mine.use("mine")  # many may use it
    with pytest.raises(RunError, match=rf"mine is to be made again, and process {running.pid} \(kedro .*\) uses it"):
        mine.make("mine", lambda: False)


def test_a_killed_command_holds_nothing(tmp_path: Path, other) -> None:
    running = other("make")
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert Locks(tmp_path).make("mine", lambda: False)


def test_what_another_command_makes_is_waited_for_and_not_made_twice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    first, second, done = Locks(tmp_path), Locks(tmp_path), threading.Event()
    assert first.make("mine", lambda: False)
    made: list[bool] = []
    waiting = threading.Thread(target=lambda: made.append(second.make("mine", done.is_set)))
    waiting.start()
    while "waiting for" not in caplog.text:
        waiting.join(0.01)
    done.set()
    first.use("mine")  # made: now it is used
    waiting.join()
    assert made == [False]
    assert "which makes mine" in caplog.text
    first.close()
    second.close()
    assert Locks(tmp_path).make("mine", lambda: False)


def test_one_command_makes_and_uses_as_often_as_it_likes(tmp_path: Path) -> None:
    mine = Locks(tmp_path)
    mine.use("a")
    assert mine.make("a", lambda: False)
    assert mine.make("a", lambda: False)
    mine.use("a")
    mine.release("a")
    mine.release("a")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".lock"]


def test_a_folder_that_cannot_be_written_locks_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (None, tmp_path / "file/locks"):
        mine = Locks(folder)
        mine.use("a")
        assert mine.make("a", lambda: False)
        mine.close()


def test_a_block_is_run_by_one_command_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []

    def enter(number: int) -> None:
        with alone(tmp_path / "database", "a test"):
            inside.append(number)
            assert len(inside) == 1, os.getpid()
            inside.clear()

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
