"""What runs again when something of a dataset has changed, and what does not."""

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import TinyFaces
from tests.pipelines.in_process import Workshop, without_dataset
from tests.pipelines.raw_folders import RAW, Pictures

NAME = "raf_db"
LABELS = "EmoLabel/list_patition_label.txt"


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory, tiny_faces: TinyFaces) -> Workshop:
    workshop = Workshop.new(tmp_path_factory.mktemp("again") / "project")
    RAW[NAME].build(workshop.raw(NAME), Pictures(tiny_faces))
    workshop.describe(NAME)
    workshop.run("ingest", NAME)
    return workshop


@pytest.fixture
def workshop(ingested: Workshop, tmp_path: Path) -> Workshop:
    """The project in another place, which does not count, with the times of all files as they were."""
    shutil.copytree(ingested.path, tmp_path / "project")
    moved = Workshop(tmp_path / "project")
    moved.describe(NAME)
    return moved


def ran(workshop: Workshop, **parameters) -> set[str]:
    return without_dataset(workshop.run("ingest", NAME, **parameters), NAME)


@pytest.mark.slow
def test_a_corrected_label_reads_again_and_aligns_nothing(workshop: Workshop) -> None:
    path = workshop.raw(NAME) / LABELS
    path.write_text(path.read_text().replace("train_00003.jpg 4", "train_00003.jpg 5"))
    nodes = ran(workshop)
    assert nodes >= {"inventory", "read", "sources", "split", "counts", "sheet"}
    assert not nodes & {"align", "duplicates"}
    rows = workshop.rows(NAME).set_index("path")
    assert rows.loc["Image/original/train_00003.jpg", "expression"] == "sadness"


@pytest.mark.slow
def test_another_image_aligns_again(workshop: Workshop) -> None:
    before = workshop.faces(NAME).table(["sample_id", "sha256"])
    folder = workshop.raw(NAME) / "Image/original"
    shutil.copy(folder / "test_0002.jpg", folder / "test_0001.jpg")
    assert {"inventory", "read", "sources", "align"} <= ran(workshop)
    changed = before.merge(workshop.faces(NAME).table(["sample_id", "sha256"]), on="sample_id")
    names = set(changed.loc[changed["sha256_x"] != changed["sha256_y"], "sample_id"])
    rows = workshop.rows(NAME).set_index("sample_id")
    assert rows.loc[list(names), "path"].tolist() == ["Image/original/test_0001.jpg"]


@pytest.mark.slow
def test_a_touched_file_takes_the_inventory_again_and_nothing_else(workshop: Workshop) -> None:
    os.utime(workshop.raw(NAME) / "Image/original/test_0001.jpg", (0, 0))
    assert ran(workshop) == {"inventory"}


@pytest.mark.slow
def test_without_the_raw_folder_all_is_up_to_date(workshop: Workshop) -> None:
    shutil.rmtree(workshop.raw(NAME))
    assert ran(workshop) == set()


@pytest.mark.slow
def test_another_size_aligns_again_and_reads_nothing(workshop: Workshop) -> None:
    nodes = ran(workshop, **{NAME: {"faces": {"size": 48}}})
    assert "align" in nodes
    assert not nodes & {"inventory", "read", "sources"}
    assert (workshop.faces(NAME).table(["height", "width"]) == 48).all(axis=None)


@pytest.mark.slow
def test_more_workers_run_nothing_again(workshop: Workshop) -> None:
    assert ran(workshop, **{NAME: {"faces": {"workers": 2}}}) == set()
