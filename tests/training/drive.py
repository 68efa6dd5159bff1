"""Train in a process of its own, which is killed or has no room left on the disk at a given step."""

import multiprocessing
import os
import resource
import signal
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

from small_method import SmallMethod, fresh, train
from tests.prepared import PATIENCE, prepared, start

from openfer.io.face_store import FaceStore


class Ended(NamedTuple):
    """What a process leaves.

    Attributes:
        code: its exit status; a negative one is the signal that ended it.
        printed: by it and by all that it has started.
    """

    code: int | None
    printed: str


def drive(store: FaceStore, work: Path, settings: dict[str, Any], kind: str, at: int) -> Ended:
    """Train in another process until it ends, and all that it has started with it.

    Args:
        store: of the faces.
        work: for the resume file.
        settings: of the training.
        kind: ``kill`` at a step, ``full`` disk from a step on, or killed when an epoch is ``reported``.
        at: the step or the epoch.
    """
    reading, writing = prepared().Pipe(duplex=False)
    process = start(_train, store.folder, work, settings, kind, at, writing)
    writing.close()  # so that the pipe ends when none of those processes lives
    printed = b""
    while wait([reading], PATIENCE):
        if not (part := os.read(reading.fileno(), 1 << 16)):
            process.join(PATIENCE)
            return Ended(process.exitcode, printed.decode())
        printed += part
    raise TimeoutError(f"a process of the training hangs:\n{printed.decode()}")


def _train(store: Path, work: Path, settings: dict[str, Any], kind: str, at: int, printed: Connection) -> None:
    for standard in (1, 2):
        os.dup2(printed.fileno(), standard)
    printed.close()
    # of what loads images; a process that is started has its parent's, whose workers would outlive a kill
    multiprocessing.set_start_method("fork", force=True)
    _disturb(kind, at)
    tracker = _KillsWhenTold(at) if kind == "reported" else None
    train(FaceStore(store), work, fresh(), tracker=tracker, **settings)


def _disturb(kind: str, at: int) -> None:
    step, done = SmallMethod.step, 0

    def counted(self, batch, stage):
        nonlocal done
        if done == at and kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if done == at and kind == "full":
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        done += 1
        return step(self, batch, stage)

    SmallMethod.step = counted


class _KillsWhenTold:
    """A tracker that kills its process when an epoch is reported."""

    def __init__(self, at: int) -> None:
        self._at = at

    def epoch(self, label, stage, epoch, values):
        if epoch == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
