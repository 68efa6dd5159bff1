"""Train in a process of its own, to be killed or to be refused room on the disk at a given step.

python drive.py <face store> <work folder> <settings as JSON> kill|full <step>
python drive.py <face store> <work folder> <settings as JSON> reported <epoch>, to be killed when an epoch is reported
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path

from small_method import SmallMethod, fresh, train

from openfer.io.face_store import FaceStore


def disturb(kind: str, at: int) -> None:
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


class KillsWhenTold:
    """A tracker that kills its process when an epoch is reported."""

    def __init__(self, at: int) -> None:
        self._at = at

    def epoch(self, label, stage, epoch, values):
        if epoch == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    store, work, settings, kind, at = sys.argv[1:]
    disturb(kind, int(at))
    tracker = KillsWhenTold(int(at)) if kind == "reported" else None
    train(FaceStore(Path(store)), Path(work), fresh(), tracker=tracker, **json.loads(settings))
