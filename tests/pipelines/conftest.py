"""A project of its own in a temporary folder: this one's code and parameters, a handful of faces."""

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.prepared import type_kedro

ROOT = Path(__file__).parents[2]

TINY = """
synthetic:
  workers: 1
  pie: {people: 3, images_per_person: 8}
  raf: {people: 30, images_per_person: 2}
  fer: {train_people: 6, test_people: 2, images_per_person: 7}
  sequences: {people: 6, sequences_per_person: 2}
protocol: {validation_share: 0.3}
"""
TINY_METHOD = """
{name}:
  images: {{size: 76, crop: 72}}
  settings: {{schedule: {{epochs: 2, batch_size: 8}}}}
"""
"""At 72 pixels the last map of dlib's trunk has 2 x 2 cells, and a training step half the work that it has at 104."""

FIRST_CHECKPOINT = "openfer.training.resume:ResumeFile.save"
"""The moment, for ``Project.killed_at``, when one of two epochs is done."""


@dataclass(frozen=True)
class Project:
    """A Kedro project that tests may run and spoil."""

    path: Path

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Type `kedro run ...` there and return all that it prints."""
        return self.kedro("run", *arguments, expect=expect)

    def kedro(self, *words: str, expect: int = 0) -> str:
        """Type `kedro ...` there and return all that it prints."""
        printed = self.path / "printed.log"
        status = type_kedro(words, self.path, printed)
        said = printed.read_text()
        assert status == expect, f"exit status {status}, expected {expect}:\n{said[-6000:]}"
        return said

    def run_folders(self, layer: str, method: str) -> list[Path]:
        """Return the folders of all runs of a method in a layer such as ``07_model_output``, by slug."""
        return sorted((self.path / "data" / layer / method).glob(f"{method}-s*-f*-*"))

    def run_folder(self, layer: str, method: str) -> Path:
        """Return the folder of the one run of a method in a layer."""
        (folder,) = self.run_folders(layer, method)
        return folder

    def slug(self, method: str) -> str:
        """Return the identity of the one run of a method."""
        return self.run_folder("06_models", method).name

    def killed_at(self, moment: str, *arguments: str) -> None:
        """Type `kedro run ...` there and kill it, with all that it started, after a function, ``MODULE:FUNCTION``."""
        printed = self.path / "killed.log"
        status = type_kedro(("run", *arguments), self.path, printed, moment)
        assert status == -signal.SIGKILL, f"{status}: {printed.read_text()[-6000:]}"


def new_project(path: Path) -> Project:
    """Lay out a project with tiny sizes in an empty folder."""
    path.mkdir()
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, path / name)
    shutil.copytree(ROOT / "conf", path / "conf", ignore=shutil.ignore_patterns("local"))
    (path / "src").mkdir()  # Kedro asks for the folder; the package itself is installed
    local = path / "conf" / "local" / "parameters"
    local.mkdir(parents=True)
    (local / "tiny.yml").write_text(TINY)
    for name in ("baseline", "dfem", "addl", "pretrain"):
        (local / f"{name}.yml").write_text(TINY_METHOD.format(name=name))
    return Project(path)


@pytest.fixture
def copy_of_finished(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project that a test may spoil."""
    shutil.copytree(finished.path, tmp_path / "project")
    return Project(tmp_path / "project")
