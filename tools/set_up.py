"""Set up the virtual environment: say what it takes, show progress, and say what to do after a failure.

``python tools/set_up.py .venv`` is what the Makefile calls; it needs a supported Python and nothing else. The stamp
``.venv/.installed`` is written last and holds the path of the environment: without it the set-up was not finished,
and with another path the folder was moved. ``python tools/set_up.py .venv --check`` says so for a finished one.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

CUDA_GIGABYTES, CPU_GIGABYTES = 8, 3
"""Disk that the environment takes with PyTorch for NVIDIA GPUs and for the CPU alone, rounded up."""

TORCH = ("torch", "torchvision")
SECONDS_BETWEEN_LINES = 15
"""If the output is not a terminal, every update is a separate line."""


class SetUpError(Exception):
    """Says what is wrong and what to do."""


class Progress:
    """One line that says how far pip is, of what pip prints with ``--progress-bar raw``.

    Attributes:
        megabytes: downloaded so far; what lies in pip's cache does not count.
    """

    def __init__(self, terminal: bool) -> None:
        self.megabytes = 0.0
        self._terminal = terminal
        self._found = 0
        self._name = ""
        self._said_at = -float(SECONDS_BETWEEN_LINES)

    def read(self, lines: Iterable[str]) -> None:
        """Follow pip's output to its end."""
        for line in lines:
            words = line.split()
            if line.startswith("Collecting "):
                self._found += 1
                self._name = words[1]
                self._say(self._now())
            elif words[:1] == ["Downloading"]:
                self._name = words[1].rpartition("/")[2].split("-cp")[0].split("-py")[0]
            elif words[:1] == ["Progress"] and words[-1].isdigit():
                done, size = int(words[1]) / 1e6, int(words[-1]) / 1e6
                self._say(f"{self._now()}, {done:,.0f} of {size:,.0f} MB", end=done == size)
                self.megabytes += size if done == size else 0
            elif line.startswith("Installing collected packages"):
                self._say(f"installing {line.count(',') + 1} packages, which takes a minute or more", end=True)
        if self._terminal:
            print()

    def _now(self) -> str:
        return f"{self._found} packages found, {self.megabytes:,.0f} MB downloaded: {self._name}"

    def _say(self, text: str, end: bool = False) -> None:
        if self._terminal:
            print(f"\r\033[K{text[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
        elif end or time.monotonic() - self._said_at >= SECONDS_BETWEEN_LINES:
            if end and text.endswith("MB") and time.monotonic() - self._said_at < SECONDS_BETWEEN_LINES:
                return
            self._said_at = time.monotonic()
            print(text, flush=True)


def python_of(venv: Path) -> Path:
    """Return the interpreter of an environment."""
    return venv / "bin" / "python"


def broken(venv: Path) -> str | None:
    """Return what is wrong with an environment that exists; None if it works."""
    asked = subprocess.run(
        [str(python_of(venv)), "-c", "import sys; print(*sys.version_info[:2], sep='.')"],
        capture_output=True, text=True, check=False,
    ) if python_of(venv).exists() else None  # fmt: skip
    if asked is None or asked.returncode:
        return "its Python is gone or does not start"
    stamp = venv / ".installed"
    made_at = stamp.read_text().strip() if stamp.exists() else ""
    if made_at and made_at != str(venv.absolute()):
        return f"it was made as {made_at}, and a folder that was moved or copied does not work"
    return None


def other_version(venv: Path) -> str | None:
    """Return the Python version of an environment if this Python is of another one."""
    said = (venv / "pyvenv.cfg").read_text() if (venv / "pyvenv.cfg").exists() else ""
    version = re.search(r"^version\S* = (\d+\.\d+)", said, re.MULTILINE)
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return version[1] if version and version[1] != own else None


def check(venv: Path) -> None:
    """Say what is wrong with an environment that exists.

    Raises:
        SetUpError: if it does not work.
    """
    wrong = broken(venv)
    if wrong:
        raise SetUpError(f"the environment {venv} is broken: {wrong}; remove it with 'make clean', then try again")


def set_up(venv: Path, torch_index: str) -> None:
    """Make the environment, or finish one that was interrupted.

    Raises:
        SetUpError: if there is no room, an environment is broken, or pip fails.
    """
    gigabytes = CPU_GIGABYTES if torch_index else CUDA_GIGABYTES
    begun_at = time.monotonic()
    if venv.exists():
        check(venv)
        version = other_version(venv)
        if version:
            own = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise SetUpError(f"{venv} is of Python {version}, asked for is {own}; remove it with 'make clean' first")
        finished = (venv / ".installed").exists()
        print(f"{'Updating' if finished else 'Finishing the interrupted set-up of'} {venv} ...", flush=True)
    else:
        free = shutil.disk_usage(".").free / 1e9
        if free < gigabytes:
            raise SetUpError(f"the set-up needs {gigabytes} GB of disk, {free:.1f} GB are free")
        kind = (
            "PyTorch for the CPU"
            if torch_index
            else "PyTorch for NVIDIA GPUs; docs/start.md says how to take the CPU's"
        )
        print(f"Setting up {venv}, once: {gigabytes} GB of disk, 3 to 20 minutes ({kind}) ...", flush=True)
        made = subprocess.run([sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True, check=False)
        if made.returncode:
            shutil.rmtree(venv, ignore_errors=True)
            said = " ".join((made.stderr or made.stdout).split())[-300:]
            raise SetUpError(f"{sys.executable} makes no virtual environment, is its package venv missing? {said}")
    (venv / ".installed").unlink(missing_ok=True)
    progress = Progress(sys.stdout.isatty())
    _pip(venv, ["--quiet", _pin("pip")])
    if torch_index:  # only these two: pip takes all others from its default index
        _pip(venv, ["--no-deps", "--index-url", torch_index, *map(_pin, TORCH)], progress)
    _pip(venv, ["--constraint", "constraints.txt", "--editable", ".[dev]"], progress)
    (venv / ".installed").write_text(f"{venv.absolute()}\n")
    minutes = (time.monotonic() - begun_at) / 60
    print(f"{venv} is ready: {minutes:.0f} minutes, {progress.megabytes:,.0f} MB downloaded", flush=True)


def _pin(name: str) -> str:
    """Return a line of the constraints."""
    return next(line for line in Path("constraints.txt").read_text().splitlines() if line.startswith(f"{name}=="))


def _pip(venv: Path, words: list[str], progress: Progress | None = None) -> None:
    raw = [] if progress is None else ["--progress-bar", "raw"]
    command = [str(python_of(venv)), "-m", "pip", "install", "--disable-pip-version-check", *raw, *words]
    quiet_roots = {"PIP_ROOT_USER_ACTION": "ignore", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | quiet_roots) as running:
        assert running.stdout is not None
        (progress.read if progress else list)(running.stdout)
    if running.returncode:
        raise SetUpError("the set-up stopped; what is downloaded stays in pip's cache: run the same command again")


if __name__ == "__main__":
    try:
        if "--check" in sys.argv:
            check(Path(sys.argv[1]))
        else:
            set_up(Path(sys.argv[1]), os.environ.get("TORCH_INDEX", ""))
    except SetUpError as error:
        sys.exit(f"openfer: {error}")
    except KeyboardInterrupt:
        sys.exit("\nopenfer: the set-up was interrupted; run the same command again to finish it")
