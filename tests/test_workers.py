"""Worker processes and threads: every task once, errors as themselves, nobody left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from openfer.errors import OpenferError
from openfer.workers import in_processes, in_threads, shared, with_bar


def square(number: int) -> int:
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number**2


def end(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_done_once(workers: int) -> None:
    assert sorted(in_processes(square, range(20), workers, "x.workers")) == [n**2 for n in range(20)]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_raised_as_itself(workers: int) -> None:
    with pytest.raises(ValueError, match="-3 is negative"):
        list(in_processes(square, [1, -3], workers, "x.workers"))


def test_a_worker_that_was_killed_is_an_error_that_names_the_parameter() -> None:
    with pytest.raises(OpenferError, match=r"ended from outside .* fewer x\.workers"):
        list(in_processes(end, [1, 2], 2, "x.workers"))


def test_no_task_is_no_work() -> None:
    assert list(in_processes(square, [], "auto", "x.workers")) == []


def test_the_bar_counts_what_an_earlier_run_has_done(capsys: pytest.CaptureFixture[str]) -> None:
    with_bar(iter([2, 3]), "faces of x", total=10, done=5, unit="face")
    said = capsys.readouterr().err
    assert "faces of x" in said
    assert "10/10" in said


ENDLESS = """
import sys, time
from pathlib import Path
from openfer.workers import in_processes

def work(number):
    Path(sys.argv[1], f"{number}.begun").touch()
    time.sleep(3600)

if __name__ == "__main__":
    list(in_processes(work, [1, 2], 2, "x.workers"))
"""

PATIENCE = 300
"""Seconds; nothing is said of how fast processes begin and end where other programs run too."""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS)
    parent = subprocess.Popen([sys.executable, str(script), str(tmp_path)])
    wait_until(lambda: len(list(tmp_path.glob("*.begun"))) == 2)
    children = children_of(parent.pid)
    assert len(children) >= 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not any(alive(child) for child in children))


def children_of(parent: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_results_come_in_order_and_items_are_taken_a_little_ahead_only() -> None:
    taken, workers = [], set()

    def items():
        for number in range(50):
            taken.append(number)
            yield number

    def work(number: int) -> int:
        workers.add(threading.current_thread().name)
        return number * number

    for number, result in enumerate(in_threads(work, items(), 2)):
        assert result == number * number
        assert len(taken) <= number + 5
    assert number == 49
    assert threading.current_thread().name not in workers


def test_an_error_reaches_whoever_asks_for_the_result() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda number: 1 / number, [1, 0, 1], 2))


@pytest.mark.parametrize("tasks", [0, 1, 2, 3, 10, 50])
@pytest.mark.parametrize("workers", [1, 2, 7, 16])
def test_few_tasks_use_nearly_as_many_workers_as_many_tasks(tasks: int, workers: int) -> None:
    processes, threads = shared(tasks, workers)
    assert workers / 2 < processes * threads <= workers


def test_a_process_is_started_only_for_two_tasks_and_more() -> None:
    assert [shared(tasks, 4) for tasks in (1, 3, 4, 8, 100)] == [(1, 4), (1, 4), (2, 2), (4, 1), (4, 1)]
