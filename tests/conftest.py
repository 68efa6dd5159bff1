"""Faces for all tests that need real ones, rendered once a session; and how workers share the tests."""

import gc
import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from openfer.io.face_store import FaceStore
from tests.left_out import without_flushes, without_waiting_for_removals

if TYPE_CHECKING:
    from tests.pipelines.conftest import Project

ONE_OF_SEVERAL = "PYTEST_XDIST_WORKER" in os.environ
if ONE_OF_SEVERAL:
    # Workers share the cores, and so do the programs that they start; torch reads this when it is imported.
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

os.environ["DO_NOT_TRACK"] = "1"  # Kedro's telemetry would write an identity into this project's pyproject.toml


SHARE_FINISHED = frozenset(
    f"tests/{name}.py"
    for name in (
        *(f"pipelines/test_{name}" for name in (
            "default_run", "foreign", "kill_and_resume", "pretrain", "readme", "report", "runs_command",
            "study", "tracked_ends", "weights",
        )),
        "runners/test_many",
    )
)  # fmt: skip
"""Files that need the finished project."""


def pytest_configure() -> None:
    """Leave out what no test looks at."""
    without_flushes()
    if ONE_OF_SEVERAL:
        without_waiting_for_removals()


@pytest.hookimpl(optionalhook=True)  # there is no such hook without xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let one worker do each file, and one of them all files that need the finished project, which is then run once.

    The groups of ``--dist loadgroup`` would say the same, but xdist 3.8 loses them under pytest 9.
    """
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "finished" if file in SHARE_FINISHED else file

    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long where several workers share the tests, so that all end at about the same time.

    Raises:
        pytest.UsageError: a file that needs the finished project is not listed in :data:`SHARE_FINISHED`.
    """
    needing = {_file(item) for item in items if "finished" in getattr(item, "fixturenames", ())}
    if unlisted := sorted(needing - SHARE_FINISHED):
        raise pytest.UsageError(
            f"{', '.join(unlisted)} use the fixture `finished` and are not listed in SHARE_FINISHED of "
            "tests/conftest.py. Add them, so that one worker has the project made once."
        )
    if ONE_OF_SEVERAL:
        ranks = {item: ("finished" not in item.fixturenames, item.get_closest_marker("slow") is None) for item in items}
        firsts = {_file(item): ranks[item] for item in sorted(items, key=ranks.__getitem__, reverse=True)}
        items.sort(key=lambda item: firsts[_file(item)])  # a file's tests stay together: they share fixtures


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Let every test begin with the same random numbers: alone, in any order, whatever ran before."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries draw from it
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def pytest_collection_finish() -> None:
    """Leave what was imported out of garbage collections, and make them rarer; the runner makes one after each node."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)  # 700 takes 7 % of the tests of tables and reports


@dataclass(frozen=True)
class TinyFaces:
    """Some rendered faces of 64 pixels.

    Attributes:
        store: the faces.
        scenes: in the store's order; ``expression``, ``gender``, ``race`` and ``identity`` are labels.
    """

    store: FaceStore
    scenes: pd.DataFrame

    def classes(self, task: str) -> tuple[str, ...]:
        return tuple(sorted(self.scenes[task].unique()))

    def labels(self, task: str) -> np.ndarray:
        return np.array([self.classes(task).index(name) for name in self.scenes[task]])


@pytest.fixture(scope="session")
def tiny_faces(tmp_path_factory) -> TinyFaces:
    """Seven people and one more with seven expressions each."""
    return _rendered("synthetic_fer", tmp_path_factory.mktemp("tiny_faces"))


@pytest.fixture(scope="session")
def tiny_sequences(tmp_path_factory) -> TinyFaces:
    """Six people with two sequences of six frames each; every expression but neutral is shown twice."""
    return _rendered("synthetic_sequences", tmp_path_factory.mktemp("tiny_sequences"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> "Project":
    """A project in which the default pipeline has run once; tests must leave it as it is."""
    from tests.pipelines.conftest import new_project

    project = new_project(tmp_path_factory.mktemp("finished") / "project")
    (project.path / "first_run.txt").write_text(project.run())
    return project


def _rendered(name: str, folder: Path) -> TinyFaces:
    from openfer_faces.synthetic.config import SyntheticConfig
    from openfer_faces.synthetic.render_set import render_set
    from openfer_faces.synthetic.sets import plan

    intensity = {"low": 0.9, "high": 1.0}
    calm = {"yaw_std": 10, "pitch_std": 3, "roll_std": 1, "zoom_std": 0.01, "shift_std": 0.01}
    mixture = {**calm, "occluded_share": 0, "flash_share": 0, "intensity": intensity}
    one = {"people": 1, "images_per_person": 1}
    config = SyntheticConfig.model_validate(
        {
            "seed": 0,
            "image_size": 64,
            "workers": 1,
            "pie": {**one, "occluded_share": 0, "intensity": intensity},
            "raf": {**one, "mixture": mixture},
            "fer": {"train_people": 7, "test_people": 1, "images_per_person": 7, "mixture": mixture},
            "sequences": {"people": 6, "sequences_per_person": 2, "frames": 6, "mixture": mixture},
        }
    )
    scenes = plan(name, config)
    return TinyFaces(FaceStore(render_set(scenes, config, folder)), scenes.assign(identity=scenes["person"]))
