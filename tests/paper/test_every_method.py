"""`--env paper` from tiny copies of the published datasets to every method's last picture, sizes and epochs cut."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from openfer.io.face_store import FaceStore
from openfer.pipelines.figures.declared import FIGURES
from openfer.schemas import LANDMARKS
from openfer.staleness import all_runs
from tests.conftest import TinyFaces
from tests.pipelines.in_process import Workshop
from tests.pipelines.raw_folders import RAW, Pictures

pytestmark = pytest.mark.slow

SHORT: dict[str, Any] = {"epochs": 1, "batch_size": 14, "milestones": []}
GREY = {"images": {"size": 48, "crop": 48}}
ALLOWED = {"initialisation": {"allow_random": True}}  # no file of the papers' weights is here
CUT: Mapping[str, Mapping[str, Any]] = {
    **{name: ALLOWED | {"settings": {"schedule": SHORT}} for name in ("dfem", "baseline", "addl")},
    "fdrl_eca": {"settings": {"schedule": SHORT}},
    "pretrain": {"settings": {"attributes": ["Male"], "schedule": SHORT}},
    "manet": {
        "images": {"size": 32, "crop": 32},
        "settings": {"schedule": SHORT},
        "training": {"selections": ["last"]},
        "initialisation": {"backbone": "none", "allow_random": True},
    },
    "oadn": {
        "images": {"size": 40, "crop": 40, "mean": 0.5, "std": 0.5},
        "settings": {"blocks": [1, 1, 1, 1], "schedule": SHORT},
        "initialisation": {"backbone": "none", "allow_random": True},
    },
    "esr": {
        "images": {"size": 56, "crop": 56},
        "settings": {"branches": 2, "schedule": SHORT, "growth": {"epochs": 1, "fine_tuning": False}},
    },
    "two_scale": GREY | {"settings": {"side": 48, "schedule": SHORT}},
    "sna_autoencoder": GREY | {"settings": {"side": 48, "schedule": SHORT}},
    "sna_generator": GREY | {"settings": {"side": 48, "schedule": SHORT}},
    "sna": GREY | {"settings": {"side": 48, "schedule": SHORT}},
}
GLOBALS = {"image_size": 64, "backbone": "none", "images": {"size": 40, "crop": 36}}
COPIES = ("raf_db", "multi_pie", "celeba")
REQUESTED = ("addl", "baseline", "manet", "oadn", "esr", "sna", "fdrl_eca")
NEEDED = {"dfem", "pretrain", "two_scale", "sna_autoencoder", "sna_generator"}
UNLABELLED = {"sna_autoencoder", "sna_generator"}
"""Methods that predict nothing."""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, tiny_faces: TinyFaces) -> Workshop:
    made = Workshop.new(tmp_path_factory.mktemp("paper") / "project")
    (made.path / "conf/local/parameters/tiny.yml").unlink()  # the cuts below are typed
    for name in ("baseline", "dfem", "addl", "pretrain"):
        (made.path / f"conf/local/parameters/{name}.yml").unlink()
    (made.path / "conf/local/globals.yml").write_text(yaml.safe_dump(GLOBALS))
    for name in COPIES:
        RAW[name].build(made.raw(name), Pictures(tiny_faces))
        made.describe(name)
    return made


def bring_landmarks(project: Path, dataset: str, faces: TinyFaces) -> None:
    """Save 68 points of each face of a dataset, those of the mean rendered face, which aligned faces resemble."""
    names = FaceStore(project / f"data/paper/03_primary/{dataset}/faces").sample_ids
    mean = np.stack(faces.store.table(["points68"])["points68"].tolist()).mean(axis=0)
    table = pd.DataFrame({"sample_id": names, "points68": [mean] * len(names)})
    path = project / f"data/paper/04_feature/landmarks/{dataset}.parquet"
    path.parent.mkdir(parents=True)
    LANDMARKS.validate(table.assign(confidence68=[np.ones(68)] * len(names))).to_parquet(path)


def test_every_method_of_the_papers_runs_to_its_end(workshop: Workshop, tiny_faces: TinyFaces) -> None:
    workshop.run("ingest", "raf_db", env="paper", **CUT)
    bring_landmarks(workshop.path, "raf_db", tiny_faces)
    ran = workshop.run(" ".join(REQUESTED), "raf_db", env="paper", **CUT)
    runs = {run.method: run for run in all_runs(workshop.path / "data/paper")}
    assert set(runs) == {*REQUESTED, *NEEDED}
    for method, run in runs.items():
        assert run.record is not None
        assert run.record.state == "done"
        own = {name.rpartition(".")[2] for name in ran if name.startswith(f"{method}.{run.name}.")}
        assert {"train", "curves", "finish", *(figure.name for figure in FIGURES.get(method, ()))} <= own
        assert ("predict" in own) == (method not in UNLABELLED)
    assert (workshop.path / "data/paper/03_primary/multi_pie/faces").is_dir()  # DFEM's, beside RAF-DB
    assert not (workshop.path / "data/03_primary").exists()
