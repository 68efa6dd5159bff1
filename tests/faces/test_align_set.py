"""Alignment of a whole set: a thousand damaged inputs, and kill -9 at any moment."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from openfer import workers as product
from openfer.errors import DataError
from openfer.faces.align_set import align_set
from openfer.faces.config import FacesConfig
from openfer.io.atomic import sha256_of
from openfer.io.face_store import FaceStore
from tests.conftest import TinyFaces
from tests.faces.damage import SIDE, Input, damaged_inputs, sources_of
from tests.pipelines.conftest import ROOT
from tests.prepared import start

pytestmark = pytest.mark.slow

COUNT = 1000
PATIENCE = 900
"""Seconds until a process is taken to hang; how fast it is is measured in benchmarks/."""
MOST_MEGABYTES = 1500
SETTINGS = {"align": "whole", "size": SIDE, "encoding": "png"}


def align(folder: Path, work: Path, workers: int) -> None:
    """Align the inputs of a folder, as the head of a process group."""
    os.setsid()
    # fresh workers would take ten times as long to begin as to align; that they give the same faces is seen in
    # tests/pipelines/test_ingest_killed.py
    product.get_context = lambda _: multiprocessing.get_context("fork")
    with (folder / "printed.txt").open("wb") as file:
        os.dup2(file.fileno(), 2)
    table = pd.read_parquet(folder / "sources.parquet")
    config = FacesConfig.model_validate(SETTINGS | {"workers": workers})
    _, quarantine = align_set([table[:100], table[100:]], len(table), folder / "raw", config, work, "damaged")
    quarantine.to_parquet(work / "quarantine.parquet", index=False)
    status = Path("/proc/self/status")
    marks = [line.split()[1] for line in status.read_text().splitlines() if "VmHWM" in line] if status.exists() else [0]
    (work / "kilobytes.txt").write_text(str(marks[0]))


@dataclass(frozen=True)
class Case:
    """A thousand inputs on disk, and how another process is asked to align them."""

    inputs: list[Input]
    folder: Path

    def begin(self, work: Path) -> BaseProcess:
        return start(align, self.folder, work, 2)

    def printed(self) -> str:
        return (self.folder / "printed.txt").read_text()[-4000:]


@dataclass(frozen=True)
class Done:
    """What one worker has made of the case, undisturbed."""

    work: Path
    megabytes: float

    @property
    def faces(self) -> FaceStore:
        return FaceStore(self.work / "faces")

    @property
    def quarantine(self) -> pd.DataFrame:
        return pd.read_parquet(self.work / "quarantine.parquet")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("damage")
    inputs = damaged_inputs(folder / "raw", COUNT, seed=0)
    sources_of(inputs).to_parquet(folder / "sources.parquet", index=False)
    return Case(inputs, folder)


@pytest.fixture(scope="module")
def done(case: Case) -> Done:
    work = case.folder / "undisturbed"
    # a fresh process: a fork of the one that has all libraries loaded would begin with their memory
    fresh = (
        "from pathlib import Path; from tests.faces import test_align_set as here; here.align(Path({}), Path({}), 1)"
    )
    words = [sys.executable, "-c", fresh.format(repr(str(case.folder)), repr(str(work)))]
    ran = subprocess.run(words, cwd=ROOT, check=False, timeout=PATIENCE)
    assert ran.returncode == 0, case.printed()
    return Done(work, int((work / "kilobytes.txt").read_text()) / 1024)


def test_every_row_is_a_face_or_has_a_reason(case: Case, done: Done) -> None:
    stored, refused = list(done.faces.sample_ids), list(done.quarantine["sample_id"])
    assert sorted([*stored, *refused]) == list(sources_of(case.inputs)["sample_id"])
    assert len(stored) > COUNT / 4
    assert len(refused) > COUNT / 4
    assert stored == sorted(stored)


def test_sound_inputs_are_right_in_their_pixels(case: Case, done: Done) -> None:
    places = {name: row for row, name in enumerate(done.faces.sample_ids)}
    off = [
        (one.kind, one.path, one.frame)
        for number, one in enumerate(case.inputs)
        if one.pixels is not None
        and np.abs(done.faces.image(places[f"{number:04d}"]).astype(int) - one.pixels).mean() > one.loss
    ]
    assert off == []


def test_reasons_are_those_of_the_damage(case: Case, done: Done) -> None:
    reasons = done.quarantine.set_index("sample_id")["reason"]
    wrong = [
        (one.kind, one.reason, reasons.get(f"{number:04d}"))
        for number, one in enumerate(case.inputs)
        if one.reason and not re.search(one.reason, reasons.get(f"{number:04d}", ""))
    ]
    assert wrong == []
    assert reasons.str.len().between(5, 200).all()
    assert not reasons.str.contains(str(case.folder), regex=False).any()


def test_memory_is_bounded(done: Done) -> None:
    assert done.megabytes < MOST_MEGABYTES


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="ends process groups")
def test_killed_at_any_moment_it_ends_with_the_same_bytes(case: Case, done: Done) -> None:
    draw, work, killed = np.random.default_rng(1), case.folder / "disturbed", 0
    for _ in range(2):
        before = set(work.glob("shards/.*"))
        running = case.begin(work)
        while running.is_alive() and set(work.glob("shards/.*")) <= before:
            time.sleep(0.01)  # until a worker begins to write
        time.sleep(draw.uniform(0, 0.4))
        if running.is_alive():
            os.killpg(running.pid, signal.SIGKILL)
            killed += 1
        running.join()
    assert killed
    running = case.begin(work)
    running.join(PATIENCE)
    assert running.exitcode == 0, case.printed()
    for name in ("faces", "quarantine.parquet"):
        assert sha256_of(work / name) == sha256_of(done.work / name)
    assert len(set(FaceStore(work / "faces").sample_ids)) == len(done.faces)


def test_a_set_without_one_face_is_an_error_that_says_why(tmp_path: Path) -> None:
    sources = sources_of([Input("missing", f"{number}.jpg") for number in range(3)])
    with pytest.raises(DataError, match=r"none of the 3 rows of mine has a face.*: the file is missing; check root"):
        align_set([sources], len(sources), tmp_path, FacesConfig(align="whole"), tmp_path / "work", "mine")


def test_files_that_were_missing_are_looked_for_again(tmp_path: Path, tiny_faces: TinyFaces) -> None:
    sources = sources_of([Input("face", f"{number}.png") for number in range(3)])
    with pytest.raises(DataError, match="the file is missing"):
        align_set([sources], len(sources), tmp_path, FacesConfig(align="whole"), tmp_path / "work", "mine")
    for number in range(3):  # the disk is mounted
        (tmp_path / f"{number}.png").write_bytes(tiny_faces.store.encoded(number))
    _, quarantine = align_set([sources], 3, tmp_path, FacesConfig(align="whole", size=48), tmp_path / "work", "mine")
    assert quarantine.empty


def test_a_format_that_no_image_is_read_of_is_the_reason_and_the_remedy(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes([number]))
    sources = sources_of([Input("face", f"{number}.jpg") for number in range(3)])
    with pytest.raises(DataError, match=r"most \(3\) because of: HEIC, .*save it as JPEG; mend the files"):
        align_set([sources], len(sources), tmp_path, FacesConfig(align="whole"), tmp_path / "work", "mine")
