"""Starts the processes that train one method together, hands on what they report, and ends them all if one fails."""

import logging
import multiprocessing
import os
import pickle
import signal
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import torch
import torch.distributed as dist

from openfer.errors import OpenferError, TrainingError
from openfer.training.tracking import Tracker

_log = logging.getLogger(__name__)

_PROCESSES = multiprocessing.get_context("spawn")
"""How processes start: as new programs, since a fork of a process that has used a GPU or threads cannot train."""

_SECONDS_TO_LEAVE = 60.0
"""A process that is through needs some tenths."""

Task = Callable[..., None]
"""Called in every process with the payload and a tracker, or None where nothing is to be reported."""


@dataclass(frozen=True)
class Launch:
    """What is to be started.

    Attributes:
        label: whose training it is, for messages.
        devices: number of processes.
        threads: CPU threads of each process.
        backend: of torch.distributed: ``nccl`` gives each process a GPU of its own, ``gloo`` is for CPUs.
    """

    label: str
    devices: int
    threads: int
    backend: str


class _Epoch(NamedTuple):
    """The arguments of :meth:`Tracker.epoch`."""

    label: str
    stage: str
    epoch: int
    values: Mapping[str, float]


class _Failed(NamedTuple):
    """An exception that nobody raised on purpose."""

    words: str
    trace: str


class _Done(NamedTuple):
    """A process is through."""


def together(launch: Launch, task: Task, payload: tuple[Any, ...], tracker: Tracker | None) -> None:
    """Run a task in several processes, and wait for their end.

    The first process logs and reports in the name of all. Each has a copy of the payload. If this process dies, they
    die too.

    Args:
        launch: how many there are, and where.
        task: a function of a module.
        payload: its first arguments.
        tracker: gets what the first process reports; None if nobody is to know.

    Raises:
        OpenferError: the first error of any process.
        TrainingError: if a process was killed, or failed in a way that has no words.
    """
    content = pickle.dumps((task, payload))  # by value: torch would share the weights among the processes
    level = logging.getLogger("openfer").getEffectiveLevel()
    pipes: list[Connection] = []
    processes: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        meeting = (Path(folder) / "store").as_uri()
        try:
            for rank in range(launch.devices):
                own, theirs = _PROCESSES.Pipe(duplex=False)
                process = _PROCESSES.Process(target=_process, args=(launch, rank, meeting, content, level, theirs))
                process.start()
                theirs.close()  # so that the process's death ends the pipe
                pipes.append(own)
                processes.append(process)
            _listen(launch, pipes, processes, tracker)
            for process in processes:
                process.join(_SECONDS_TO_LEAVE)
        finally:
            for process in processes:
                process.kill()
                process.join()


def _listen(launch: Launch, pipes: list[Connection], processes: list[Any], tracker: Tracker | None) -> None:
    """Hand on messages until all processes are through."""
    waiting = dict(zip(pipes, range(launch.devices), strict=True))
    while waiting:
        for pipe in wait(list(waiting)):
            assert isinstance(pipe, Connection)
            rank = waiting[pipe]
            message = _received(pipe)
            match message:
                case _Done():
                    del waiting[pipe]
                case _Epoch():
                    if tracker is not None:
                        tracker.epoch(*message)
                case logging.LogRecord():
                    logging.getLogger(message.name).handle(message)
                case OpenferError():
                    raise message
                case _:
                    _fail(launch, rank, message, processes)


def _received(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except (EOFError, OSError):
        return None


def _fail(launch: Launch, rank: int, message: _Failed | None, processes: list[Any]) -> None:
    """Raise in words what ended a process; one that was killed is the cause of the others' broken connections."""
    if message is None:
        processes[rank].join()
    codes = {number: process.exitcode for number, process in enumerate(processes)}
    killed = [number for number, code in codes.items() if code is not None and code < 0]
    number = killed[0] if killed else rank
    which = f"process {number + 1} of the {launch.devices} that train {launch.label}"
    intact = "The last checkpoint of this run is intact: run the same command again to resume"
    if killed:
        name = signal.Signals(-codes[number]).name
        raise TrainingError(
            f"{which} was ended by {name}, as a machine does that has no memory left, and the others were stopped. "
            f"{intact}, on fewer training.devices if memory is short"
        )
    if message is None:
        raise TrainingError(f"{which} ended by itself with exit code {codes[number]}. {intact}")
    _log.error("%s failed:\n%s", which, message.trace)
    raise TrainingError(f"{which} failed, and the others were stopped: {message.words}. {intact}")


def _process(launch: Launch, rank: int, meeting: str, content: bytes, level: int, pipe: Connection) -> None:
    """Run the task as one of the processes."""
    Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(launch.threads)
    _log_to(pipe, level) if rank == 0 else logging.disable()
    try:
        device = torch.device("cuda", rank) if launch.backend == "nccl" else None
        if device is not None:
            torch.cuda.set_device(device)
        dist.init_process_group(
            launch.backend, init_method=meeting, rank=rank, world_size=launch.devices, device_id=device
        )
        task, payload = pickle.loads(content)
        task(*payload, _Reporter(pipe) if rank == 0 else None)
        dist.barrier()  # nobody leaves while others still exchange
        dist.destroy_process_group()
        pipe.send(_Done())
    except OpenferError as error:
        pipe.send(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent process tells it
        pipe.send(_Failed(f"{type(error).__name__}: {error}", traceback.format_exc()))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


class _Reporter:
    """A tracker that sends what it is told to the parent process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def epoch(self, label: str, stage: str, epoch: int, values: Mapping[str, float]) -> None:
        """Send an epoch."""
        self._pipe.send(_Epoch(label, stage, epoch, values))


class _Sender(QueueHandler):
    """A log handler that sends records to the parent process."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__(pipe)  # type: ignore[arg-type]
        self._pipe = pipe

    def enqueue(self, record: logging.LogRecord) -> None:
        """Send a record that is prepared for it."""
        self._pipe.send(record)


def _log_to(pipe: Connection, level: int) -> None:
    """Send what openfer logs to the parent process, whose handlers write it."""
    log = logging.getLogger("openfer")
    log.addHandler(_Sender(pipe))
    log.setLevel(level)
    log.propagate = False
