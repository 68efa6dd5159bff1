"""Worker processes and threads for work that is cut into pieces: any number of them, the same results."""

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from typing import Literal, TypeVar

from tqdm import tqdm

from openfer.errors import OpenferError

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_WAITING_PER_WORKER = 2
"""Tasks handed out ahead: enough that no worker waits, few enough that they cost no memory."""

_TASKS_PER_PROCESS = 2
"""A process with fewer tasks is not worth its start."""

_WAITING_PER_THREAD = 2
"""Items handed out for each thread: one that it works on and one that waits."""

_SECONDS_BETWEEN_LINES = 10
"""Without a terminal every update is a separate line, so there are few."""


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shared(tasks: int, workers: Literal["auto"] | int) -> tuple[int, int]:
    """Return how many processes share tasks, and how many threads work in each.

    Few tasks are shared by the threads of few processes: threads begin at once, and none waits while another has the
    last task.

    Args:
        tasks: their number.
        workers: processes times threads, at most; ``auto`` is one per core.
    """
    most = available_cores() if workers == "auto" else workers
    processes = min(most, max(1, tasks // _TASKS_PER_PROCESS))
    return processes, most // processes


def in_processes(
    function: Callable[[_Task], _Result], tasks: Collection[_Task], workers: Literal["auto"] | int, parameter: str
) -> Iterator[_Result]:
    """Call a function for every task; yields each result as it is done.

    One worker works in this process. Several are fresh processes, since neither Warp's nor Torch's threads
    survive a fork. They end with this process, whatever ends it.

    Args:
        function: of a module, so that another process can find it.
        tasks: picklable; each is asked for when it is its turn.
        workers: number of processes; ``auto`` is one per core.
        parameter: the name of the parameter behind ``workers``, for the message.

    Raises:
        OpenferError: if a worker was killed. An error inside a worker is raised as itself.
    """
    count = min(available_cores() if workers == "auto" else workers, len(tasks))
    if count <= 1:
        yield from map(function, tasks)
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_begin) as pool:
        try:
            yield from _as_done(pool, function, iter(tasks), count * _WAITING_PER_WORKER)
        except BrokenProcessPool as error:
            raise OpenferError(
                f"one of {count} worker processes was ended from outside (out of memory?); what is finished is kept: "
                f"run the same command again, with fewer {parameter} if it happens twice"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def in_threads(function: Callable[[_Task], _Result], items: Iterable[_Task], threads: int) -> Iterator[_Result]:
    """Yield the result for every item, in the order of the items.

    Args:
        function: safe to be called from several threads at once.
        items: taken one by one, a little ahead of the results.
        threads: their number, >= 1; one is the thread that asks for the results.
    """
    if threads == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[_Result]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) >= threads * _WAITING_PER_THREAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def with_bar(counts: Iterable[int], title: str, total: int | None, done: int, unit: str) -> None:
    """Exhaust an iterator of counts behind a progress bar, readable in a terminal and in a log.

    Args:
        counts: how many units each piece of work has finished.
        title: comes first in the line.
        total: units in all; None where nobody knows.
        done: units that an earlier run has finished.
        unit: their name.
    """
    terminal = sys.stderr.isatty()
    with tqdm(
        desc=title,
        total=total,
        initial=done,
        unit=unit,
        ncols=None if terminal else 100,
        mininterval=0.1 if terminal else _SECONDS_BETWEEN_LINES,
    ) as progress:
        for count in counts:
            progress.update(count)


def _as_done(
    pool: ProcessPoolExecutor, function: Callable[[_Task], _Result], tasks: Iterator[_Task], ahead: int
) -> Iterator[_Result]:
    pending: set[Future[_Result]] = {pool.submit(function, task) for task in islice(tasks, ahead)}
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        pending |= {pool.submit(function, task) for task in islice(tasks, len(done))}
        for future in done:
            yield future.result()


def _begin() -> None:
    """Leave interrupts to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
