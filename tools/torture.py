"""Kills commands at random moments until they end, and compares what they leave with an undisturbed project.

    python -m tools.torture --kills 50 --seed 0

Each command is killed with all its processes (SIGKILL) and typed again, as often as asked; then
it runs to its end. Tables, faces, models and predictions must have the bytes of a project in which nothing was killed.
Pictures and records of time are not compared.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from PIL import Image
from tests.pipelines.conftest import Project, new_project
from tests.prepared import start_kedro

from openfer.io.atomic import sha256_of
from openfer.io.face_store import FaceStore

COMMANDS = (
    ("synthesize",),
    ("ingest", "--params", "dataset=mine"),
    ("baseline", "--params", "baseline.datasets=[mine]"),
    ("addl",),
    ("study",),
    ("export", "--params", "export.run=baseline"),
    ("report",),
)
"""What is killed, in this order, after ``kedro run --pipelines``."""

STUDY = (
    "study: two\ntwo:\n  title: Two\n  seeds: [3, 4]\n  columns: {F: {datasets: [synthetic_fer]}}\n"
    "  rows: {Baseline: {method: baseline}}\n"
)
MINE = "mine:\n  reader: folder\n  root: mine\n  faces: {align: whole}\n"
COMPARED = ("02_intermediate", "03_primary", "04_feature", "05_model_input", "06_models", "07_model_output")
FORMATS = {".parquet", ".arrow", ".safetensors", ".onnx"}


def main() -> int:
    """Print a table: command, kills, whether it ended, files, files that differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="over all commands")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = (laid_out(Path(folder) / name) for name in ("whole", "killed"))
        print("| command | kills | files | differing |\n|---|---|---|---|")
        for number, command in enumerate(COMMANDS):
            words = ("--pipelines", *command)
            began = time.monotonic()
            whole.run(*words)
            seconds = time.monotonic() - began
            if command == COMMANDS[0]:
                own_pictures(whole, (whole, killed))
            share = options.kills // len(COMMANDS) + (number < options.kills % len(COMMANDS))
            _kill_often(killed, words, share, lambda longest=seconds: moments.uniform(0, longest))
            killed.run(*words)
            expected, found = (hashes(project.path / "data") for project in (whole, killed))
            differing = sorted(name for name in expected | found if expected.get(name) != found.get(name))
            worst = max(worst, len(differing))
            print(f"| {' '.join(command)} | {share} | {len(expected)} | {', '.join(differing) or 'none'} |", flush=True)
    return int(worst > 0)


def laid_out(path: Path) -> Project:
    """Lay out a project with a study and a folder of photographs in its parameters."""
    project = new_project(path)
    (path / "conf/local/parameters/study.yml").write_text(STUDY)
    (path / "conf/local/parameters/mine.yml").write_text(MINE)
    return project


def own_pictures(source: Project, projects: tuple[Project, ...]) -> None:
    """Lay out rendered faces as a folder of photographs in some projects."""
    store = FaceStore(source.path / "data/03_primary/synthetic_fer/faces")
    rows = pd.read_parquet(source.path / "data/02_intermediate/synthetic_fer/rows.parquet").set_index("sample_id")
    for number, name in enumerate(store.sample_ids):
        row = rows.loc[name]
        for project in projects:
            folder = project.path / "mine" / row["partition"] / row["expression"]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(store.image(number)).save(folder / f"{name}.png")


def _kill_often(project: Project, words: tuple[str, ...], kills: int, draw: Callable[[], float]) -> None:
    """Kill a command ``kills`` times; if it ends before its moment, restore the project as it was before it."""
    with tempfile.TemporaryDirectory() as folder:
        before = shutil.copytree(project.path, Path(folder) / "before")
        while kills:
            if _killed(project, words, draw()):
                kills -= 1
            else:
                shutil.rmtree(project.path)
                shutil.copytree(before, project.path)


def _killed(project: Project, words: tuple[str, ...], after: float) -> bool:
    """Start a command and kill it after some seconds; returns whether it was still running."""
    process = start_kedro(("run", *words), project.path, project.path / "killed.log")
    process.join(after)
    if process.exitcode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has no group of its own yet, nor other processes
            process.kill()
        process.join()
    return process.exitcode == -signal.SIGKILL


def hashes(data: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that is compared, by its path below ``data``."""
    files = (file for layer in COMPARED for file in (data / layer).rglob("*") if file.is_file())
    kept = (file for file in files if not any(part.startswith(".") for part in file.relative_to(data).parts))
    return {str(file.relative_to(data)): sha256_of(file) for file in kept if file.suffix in FORMATS}


if __name__ == "__main__":
    sys.exit(main())
