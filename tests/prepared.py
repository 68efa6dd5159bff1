"""Programs of the tests, each a process of its own that has the large libraries loaded already.

Imports take most of the time of a small `kedro run`. A server process makes them once for all tests of a worker; each
program is a fork of it, with a folder, environment and signals of its own.
"""

import atexit
import gc
import importlib
import multiprocessing
import operator
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import Client, Listener
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import pytest

from tests.killed import kill_after
from tests.left_out import without_flushes, without_serving

PATIENCE = 900
"""Seconds until a program is taken to hang. Nothing is said of its speed: machines differ, and other programs run."""

COLUMNS = "200"
"""Width of the terminal that programs see; rich reads it when Kedro is imported."""

LIBRARIES = (
    "IPython",
    "alembic.command",
    "git",
    "kedro.framework.cli.project",
    "kedro.framework.context",
    "kedro.framework.session",
    "kedro_datasets.json",
    "kedro_datasets.matplotlib",
    "kedro_datasets.pandas",
    "kedro_datasets.partitions",
    "kedro_datasets.pillow",
    "kedro_datasets.text",
    "kedro_telemetry.plugin",
    "kedro_viz.integrations.kedro.run_hooks",
    "kedro_viz.launchers.cli.main",
    "matplotlib.pyplot",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.system_metrics.system_metrics_monitor",
    "openfer.cli",
    "openfer.doctor.page",
    "openfer.pipeline_registry",
    "openfer.pipelines.complexity",
    "openfer.pipelines.doctor",
    "openfer.pipelines.evaluation",
    "openfer.pipelines.export",
    "openfer.pipelines.ingest",
    "openfer.pipelines.landmarks",
    "openfer.pipelines.predict",
    "openfer.pipelines.report",
    "openfer.pipelines.show",
    "openfer.pipelines.study",
    "openfer.pipelines.synthesize",
    "openfer.settings",
    "openfer.training.loop",
    "openfer.protocols.leakage",
    "openfer_faces.synthetic.render_set",
    "openfer_faces.synthetic.sets",
    "opentelemetry.sdk.metrics",
    "pandera.backends.pandas.register",
    "pandera.pandas",
    "pandera.strategies.pandas_strategies",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "scipy.stats",
    "sklearn.metrics",
    "sqlalchemy.dialects.sqlite",
    "tests.parsed_files",
    "torchmetrics",
    "torchvision",
)
"""What the programs import while they run, and what MLflow and pandera look for at their first use."""

PREPARED = multiprocessing.get_context("forkserver")
PREPARED.set_forkserver_preload(list(LIBRARIES))


def prepared() -> ForkServerContext:
    """Return what starts processes, with its server running; that has no threads, beside which torch does not train."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", COLUMNS)
        forkserver.ensure_running()
    return PREPARED


def start(program: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Start a function of a module as a process."""
    process = prepared().Process(target=program, args=arguments)
    process.start()
    return process


def type_kedro(words: tuple[str, ...], folder: Path, printed: Path, killed_after: str | None = None) -> int:
    """Type `kedro` with some words, and return its exit status; a negative one is the signal that ended it.

    The arguments are those of :func:`start_kedro`.
    """
    process = start_kedro(words, folder, printed, killed_after)
    process.join(PATIENCE)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError(f"kedro {' '.join(words)} hangs:\n{printed.read_text()[-6000:]}")
    return process.exitcode


def start_kedro(words: tuple[str, ...], folder: Path, printed: Path, killed_after: str | None = None) -> BaseProcess:
    """Start `kedro` with some words, in a process group of its own.

    Args:
        words: what follows `kedro`.
        folder: where it is typed.
        printed: the file that takes all that it prints.
        killed_after: ``MODULE:FUNCTION``; the process and all that it has started are killed as soon as the function
            returns for the first time (a generator: yields). None: nothing is killed.
    """
    environment = os.environ | {"COLUMNS": COLUMNS, "DO_NOT_TRACK": "1"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    return start(_kedro, words, folder, environment, printed, killed_after)


PROGRAM = """#!/bin/sh
exec {python} -IS {asks} "$@"
"""
"""A program that a test's own code starts in the place of Python, to type `kedro`."""

ASKS = """import os
import sys
from multiprocessing.connection import Client

dash_m, kedro, *words = sys.argv[1:]
assert (dash_m, kedro) == ("-m", "kedro")
with Client({address!r}) as server:
    server.send((tuple(words), os.getcwd(), os.getpid()))
    status = server.recv()
sys.exit(status if status >= 0 else 128 - status)
"""
"""What it does: it asks the tests' process for `kedro`, and ends with its status."""


@contextmanager
def interpreter() -> Iterator[str]:
    """Give a program that does what ``python -m kedro ...`` does, by a process that has the libraries loaded.

    All that it prints comes on its standard output. On a system without ``/proc`` it is Python itself.
    """
    if not Path("/proc/self/fd").exists():
        yield sys.executable
        return
    with TemporaryDirectory() as folder, Listener(f"{folder}/socket") as listener:  # pytest's paths are too long for it
        program, asks = Path(folder, "python"), Path(folder, "asks.py")
        asks.write_text(ASKS.format(address=listener.address))
        program.write_text(PROGRAM.format(python=shlex.quote(sys.executable), asks=asks), encoding="utf-8")
        program.chmod(0o755)
        serving = Thread(target=_serve, args=(listener,))
        serving.start()
        try:
            yield str(program)
        finally:
            with Client(listener.address) as caller:
                caller.send(None)
            serving.join()


def _serve(listener: Listener) -> None:
    while True:
        with listener.accept() as caller:
            typed = caller.recv()
            if typed is None:
                return
            words, folder, caller_id = typed
            process = start_kedro(words, Path(folder), Path(f"/proc/{caller_id}/fd/1"))
            process.join()
            caller.send(process.exitcode)


def _kedro(
    words: tuple[str, ...], folder: Path, environment: Mapping[str, str], printed: Path, killed_after: str | None
) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with printed.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    if killed_after is not None:
        _kill_after(killed_after)
    without_flushes()
    without_serving()
    gc.freeze()  # a collection need not walk all that the server has imported
    signal.signal(signal.SIGINT, signal.default_int_handler)  # programs in a shell's background ignore it
    sys.argv = ["kedro", *words]
    import torch
    from kedro.framework.cli import main

    torch.set_num_threads(1)  # as many as each of Ray's runs has
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # a forked process would leave them out


def _kill_after(place: str) -> None:
    module, _, path = place.partition(":")
    holder, _, name = path.rpartition(".")
    owner = importlib.import_module(module)
    owner = operator.attrgetter(holder)(owner) if holder else owner
    setattr(owner, name, kill_after(getattr(owner, name)))
