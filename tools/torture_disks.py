"""Runs commands on a full disk and in read-only folders, and compares what they leave with an undisturbed project.

    python -m tools.torture_disks

Each place is a folder of a small project. A small disk (tmpfs) is mounted over it, and the command is typed. Then the
disk gets room, or may be written again, and the same command is typed again. The first answer must be one error of at
most eight lines, or the command goes on where the place is MLflow's or the log's. What the first try has finished must
be up to date in the second one, and tables, faces, models and predictions must have the bytes of an undisturbed
project. Mounting needs root on Linux. Commit nothing meanwhile: models name the commit of the code.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.pipelines.conftest import Project
from tests.prepared import type_kedro
from tools.torture import hashes, laid_out, own_pictures

LINES = 8
"""Of an error, at most."""

ROOM = 8
"""KiB that are left on a full disk: the first file of more bytes is refused."""


@dataclass(frozen=True)
class Place:
    """A folder that refuses to be written.

    Attributes:
        name: what is kept there.
        folder: of the project.
        goes_on: whether the command ends all the same.
        room: KiB that are left on the full disk.
    """

    name: str
    folder: str
    goes_on: bool = False
    room: int = ROOM


COMMANDS: dict[tuple[str, ...], tuple[Place, ...]] = {
    ("synthesize",): (),
    ("ingest", "--params", "dataset=mine"): (
        Place("rows", "data/02_intermediate/mine"),
        Place("unfinished faces", "data/02_intermediate/.work"),
        Place("faces", "data/03_primary/mine"),
        Place("split", "data/05_model_input/mine"),
    ),
    ("geometry", "--params", "geometry.datasets=[mine]"): (Place("features", "data/04_feature"),),
    ("baseline",): (
        Place("unfinished training", "data/02_intermediate/.work"),
        Place("checkpoint", "data/06_models/baseline"),
        Place("predictions", "data/07_model_output/baseline"),
        Place("figures", "data/08_reporting/baseline"),
        Place("MLflow's database", "tracking"),
        Place("MLflow's artifacts", "mlartifacts", goes_on=True),
        Place("logs", "logs", goes_on=True),
    ),
    ("export", "--params", "export.run=baseline"): (Place("exported models", "data/06_models/exported"),),
    ("report",): (Place("report", "data/08_reporting"),),
}
"""What is typed after ``kedro run --pipelines``, in this order, and the places that refuse while it runs."""


def main() -> int:
    """Print a table: place, disk, command, answer, lines of the error, nodes done twice, files that differ."""
    if not _may_mount():
        print("Skipped: small disks can be mounted by root on Linux only. Run this as root to try full disks.")
        return 0
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        project = laid_out(Path(folder) / "project")
        (project.path / "conf/local/mlflow.yml").write_text("tracking_uri: sqlite:///tracking/mlflow.db\n")
        (project.path / "tracking").mkdir()
        print("| place | disk | command | answer | lines | done twice | differing |\n|---|---|---|---|---|---|---|")
        for command, places in COMMANDS.items():
            before = shutil.copytree(project.path, Path(folder) / "before", symlinks=True)
            project.run("--pipelines", *command)
            if not project.path.joinpath("mine").exists():
                own_pictures(project, (project,))
            after = project.path.rename(Path(folder) / "after")
            expected = hashes(after / "data")
            for place in places:
                for disk in ("full", "read-only"):
                    shutil.copytree(before, project.path, symlinks=True)
                    tried = _tried(project, place, disk, command, expected)
                    print(f"| {place.name} | {disk} | {command[0]} | {tried.row()} |", flush=True)
                    wrong += not tried.is_right
                    shutil.rmtree(project.path)
            shutil.rmtree(before)
            after.rename(project.path)
    return int(wrong > 0)


@dataclass(frozen=True)
class Tried:
    """What a command said on a disk that refuses, and what came of it.

    Attributes:
        goes_on: whether it should end all the same.
        status: of the first try.
        said: by the first try.
        again: said by the second try, in which the disk takes everything.
        differing: files without the bytes of an undisturbed project.
    """

    goes_on: bool
    status: int
    said: str
    again: str
    differing: list[str]

    @property
    def error(self) -> list[str]:
        """The lines of the error."""
        _, _, error = self.said.rpartition("\nError: ")
        return [line for line in error.splitlines() if line.strip()] if self.status else []

    @property
    def twice(self) -> list[str]:
        """The nodes that were finished in the first try and ran again in the second one."""
        ran = _nodes("running", self.said)
        failed = _nodes("failed", self.said) or (ran[-1:] if self.status else [])
        return sorted((set(ran) - set(failed)) & set(_nodes("running", self.again)))

    @property
    def is_right(self) -> bool:
        """Whether all is as it should be."""
        worded = self.status == 0 if self.goes_on else 0 < len(self.error) <= LINES and _is_worded(self.error[0])
        return worded and "Traceback" not in self.said and not self.twice and not self.differing

    def row(self) -> str:
        """Return the cells of the table."""
        answer = self.error[0] if self.error else f"ends with status {self.status}"
        cells = (
            re.sub(r"/\S*/project/", "", answer).replace("|", "/")[:110],
            str(len(self.error)),
            ", ".join(self.twice) or "none",
            ", ".join(self.differing) or "none",
        )
        return " | ".join(cells) + ("" if self.is_right else " **wrong**")


def _tried(project: Project, place: Place, disk: str, command: tuple[str, ...], expected: dict[str, str]) -> Tried:
    """Type a command while a place refuses, then again while it does not."""
    words = ("run", "--pipelines", *command)
    printed = project.path / "printed.log"
    with _small_disk(project.path / place.folder) as mounted:
        used = int(_said("df", "--output=used", "-k", str(mounted)).split()[-1])
        _said("mount", "-o", "remount,ro" if disk == "read-only" else f"remount,size={used + place.room}k", mounted)
        status = type_kedro(words, project.path, printed)
        said = printed.read_text()
        _said("mount", "-o", "remount,rw,size=1g", mounted)
        again = project.run(*words[1:])
        found = hashes(project.path / "data")
    differing = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    return Tried(place.goes_on, status, said, again, differing)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk in memory over a folder, with what the folder holds."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        kept = shutil.copytree(folder, Path(place) / "kept", symlinks=True)
        _said("mount", "-t", "tmpfs", "-o", "size=1g", "none", folder)
        try:
            shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)
            yield folder
        finally:
            _said("umount", "-l", folder)


def _may_mount() -> bool:
    with tempfile.TemporaryDirectory() as place:
        try:
            with _small_disk(Path(place)):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


def _said(*words: str | Path) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def _is_worded(line: str) -> bool:
    return line.startswith(("StorageError: ", "TrackingError: "))


def _nodes(state: str, said: str) -> list[str]:
    return re.findall(rf"^\S+  {state} +([^\s:]+)", said, re.MULTILINE)


if __name__ == "__main__":
    sys.exit(main())
