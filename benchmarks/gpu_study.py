"""A whole study by `kedro run`: faces rendered, three methods trained from open weights, tested and compared."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gpu_records import NO_TIME, Clock, Record, record
from projects import kedro_run, lay_out, surroundings

ROWS = {"Baseline": "baseline", "ADDL": "addl", "Geometry": "geometry"}
FIGURES = ("accuracy", "n", "training_seconds")

_NAME = "gpu"
_FOLDER = Path("data/08_reporting/studies") / _NAME
_BEGUN = re.compile(r"running +(\S+)")
_SLOWEST = 12
"""Nodes whose seconds are kept."""

_LEAST = 20.0
"""Seconds that must be left: reading the libraries takes some."""


@dataclass(frozen=True)
class StudySize:
    """How large a study is.

    Attributes:
        train_people: people in the training part of the rendered expression set.
        test_people: people in its test part.
        images: faces of each of them.
        factors: parameters of the sets from which ADDL's factors are learned.
        side: of the stored faces and of the crop that a network sees, in pixels.
        epochs: of each network.
        batch: faces a step.
    """

    train_people: int
    test_people: int
    images: int
    factors: dict[str, dict[str, int]]
    side: tuple[int, int]
    epochs: int
    batch: int

    def parameters(self, methods: Sequence[str]) -> dict[str, Any]:
        """Return the parameters of a project with this study."""
        people = {"train_people": self.train_people, "test_people": self.test_people}
        schedule = {"settings": {"schedule": {"epochs": self.epochs, "batch_size": self.batch}}}
        return {
            "synthetic": {**self.factors, "fer": {**people, "images_per_person": self.images}},
            "study": _NAME,
            _NAME: {
                "title": "A study of full size",
                "seeds": [0],
                "runs": {name: schedule for name in ("dfem", "baseline", "addl") if {name, "addl"} & {*methods}},
                "columns": {"synthetic_fer": {"datasets": ["synthetic_fer"]}},
                "rows": {row: {"method": method} for row, method in ROWS.items() if method in methods},
            },
        }

    def values(self) -> dict[str, Any]:
        """Return the values that parameter files share."""
        stored, crop = self.side
        return {"image_size": stored, "images": {"size": stored, "crop": crop}}


FULL = StudySize(1800, 200, 10, {}, (240, 224), 6, 64)
"""20,000 faces of 2,000 people, and the default sets of ADDL's factors."""

SMALL = StudySize(
    6,
    2,
    7,
    {"pie": {"people": 3, "images_per_person": 8}, "raf": {"people": 30, "images_per_person": 2}},
    (76, 72),
    2,
    8,
)


def study_records(size: StudySize, methods: Sequence[str], device: str, clock: Clock) -> Iterator[tuple[str, Record]]:
    """Yield a record of the whole command, of its slowest nodes, and of each row of its table.

    Args:
        size: how large the study is.
        methods: rows are those of these methods.
        device: of the training, such as ``cuda``.
        clock: the command is stopped when no time is left; what is done by then is told.
    """
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        on = {name: {"training": {"device": device}} for name in ("dfem", *ROWS.values())}
        lay_out(project, size.values(), size.parameters(methods) | on)
        begun = time.monotonic()
        status, nodes = _run(project, clock) if clock.left > _LEAST else (NO_TIME, {})
        seconds: float | str = time.monotonic() - begun if status == 0 else _reason(status)
        facts = {
            "faces": size.images * (size.train_people + size.test_people),
            "side": size.side[1],
            "epochs": size.epochs,
        }
        yield "study", record(facts, {"seconds": seconds})
        for name in sorted(nodes, key=lambda name: -nodes[name])[:_SLOWEST]:
            yield "study_nodes", record({"node": name}, {"seconds": nodes[name]})
        table = project / _FOLDER / "table.csv"
        cells = project / _FOLDER / "cells.csv"
        for row in (row for row, method in ROWS.items() if method in methods):
            figures = _row(row, table, cells) if status == 0 else dict.fromkeys(FIGURES, _reason(status))
            yield "study_rows", record({"row": row, "seeds": 1}, figures)


def _reason(status: int | str) -> str:
    return status if isinstance(status, str) else f"kedro run ended with {status}; its words are on the standard error"


def _row(row: str, table: Path, cells: Path) -> dict[str, float | str]:
    results = pd.read_csv(table)
    own = results[(results["row"] == row) & (results["measure"] == "accuracy") & results["main"]].iloc[0]
    trained = pd.read_csv(cells).set_index("row").loc[row, "seconds"]
    return dict(zip(FIGURES, (float(own["ours"]), int(own["n"]), float(trained)), strict=True))


def _run(project: Path, clock: Clock) -> tuple[int | str, dict[str, float]]:
    """Return the exit status of `kedro run`, or that no time was left, and the seconds of each node that ended."""
    command = kedro_run("--pipelines", "study", "--to-nodes", f"studies.{_NAME}.table")
    nodes: dict[str, float] = {}
    late = threading.Event()
    with subprocess.Popen(
        command,
        cwd=project,
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:

        def stop() -> None:
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(clock.left, stop)
        timer.start()
        node, since = None, 0.0
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", file=sys.stderr)
            if begun := _BEGUN.search(line):
                now = time.monotonic()
                if node:
                    nodes[node] = now - since
                node, since = begun[1], now
        timer.cancel()
    if node and not late.is_set():
        nodes[node] = time.monotonic() - since
    return (NO_TIME if late.is_set() else process.returncode), nodes
