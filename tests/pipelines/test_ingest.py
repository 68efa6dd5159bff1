"""Every reader, from a tiny raw folder in its published layout to a split and a doctor's page."""

import pytest

from openfer.datasets.registry import READERS
from tests.conftest import TinyFaces
from tests.pipelines.in_process import Workshop, without_dataset
from tests.pipelines.raw_folders import RAW, Pictures

READ = {"inventory", "read"}
INGEST = READ | {"sources", "align", "split", "duplicates", "leakage", "deduplicate", "groups", "counts", "sheet"}
DOCTOR = {"probe", "examine", "verdict", "doctor_page"}
CROPS = ("aff_wild2", "fer2013", "ferplus")
"""Sets whose images are taken as they are; in the others points are given or found."""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.new(tmp_path_factory.mktemp("ingest") / "project")


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS.names())
def test_a_raw_folder_becomes_faces_and_a_split_and_is_looked_at(
    reader: str, workshop: Workshop, tiny_faces: TinyFaces
) -> None:
    raw = RAW[reader]  # a new reader needs a tiny raw folder here
    raw.build(workshop.raw(reader), Pictures(tiny_faces))
    workshop.describe(reader, **raw.parameters)

    ran = workshop.run("ingest doctor", reader, twice=True)
    assert len(ran) == len(set(ran)), "the second time, all was to be up to date"
    assert without_dataset(ran, reader) == INGEST | DOCTOR
    rows, quarantine = workshop.rows(reader), workshop.quarantine(reader)
    faces, split = workshop.faces(reader), workshop.split(reader)
    stored = list(faces.sample_ids)
    assert len(rows) == len(stored) + len(quarantine) > 0
    assert set(rows["sample_id"]) == set(stored) | set(quarantine["sample_id"])
    assert not set(stored) & set(quarantine["sample_id"])
    assert quarantine["reason"].tolist() == []
    assert len(split)
    assert set(split["sample_id"]) <= set(stored)
    assert (faces.table(["height", "width"]) == 64).all(axis=None)
    assert faces.table(["points5"])["points5"].notna().any() == (reader not in CROPS)

    folder = workshop.path / "data/08_reporting/doctor" / reader
    page = (folder / "doctor.html").read_text()
    assert page.startswith("<!doctype html>")
    assert f"<code>{reader}</code>" in page
    assert READERS[reader].about.title in (folder / "verdict.json").read_text()
    assert (workshop.path / "data/08_reporting" / reader / "faces.png").is_file()


@pytest.mark.slow
def test_the_doctor_knows_an_embedded_set(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    ran = without_dataset(workshop.run("doctor", "synthetic_fer"), "synthetic_fer")
    assert {"examine", "verdict", "doctor_page"} <= ran
    assert "This is the expected copy of the embedded set synthetic_fer" in " ".join(capsys.readouterr().out.split())
    assert workshop.run("doctor", "synthetic_fer") == []
