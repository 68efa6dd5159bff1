"""Results in a bucket: one machine ingests and trains, another one trains on and reports, and nobody reads twice."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.bucket import Bucket, outputs, s3_server
from tests.conftest import TinyFaces
from tests.pipelines.in_process import Workshop, typed
from tests.pipelines.raw_folders import RAW, Pictures

NAME = "raf_db"
BASELINE = {
    "datasets": [NAME],
    "training": {"device": "cpu", "workers": 0, "selections": ["best_val"]},
    "settings": {"schedule": {"epochs": 2, "batch_size": 8}},
}


@pytest.fixture(scope="module")
def bucket():
    with s3_server() as server:
        yield server.new_bucket()


def machine(path: Path, url: str) -> Workshop:
    """Lay out a project of a machine whose results lie in a bucket."""
    workshop = Workshop.new(path)
    sizes = {"image_size": 48, "trunk": "resnet18", "backbone": "none", "images": {"size": 40, "crop": 36}}
    (path / "conf/local/globals.yml").write_text(yaml.safe_dump({"data_root": url} | sizes))
    (path / "conf/local/parameters/baseline.yml").write_text(yaml.safe_dump({"baseline": BASELINE}))
    workshop.describe(NAME, faces={"workers": 1})
    return workshop


def copy_on(workshop: Workshop, bucket: Bucket) -> Path:
    return workshop.path / "data/copy" / bucket.url.removeprefix("s3://")


@pytest.mark.slow
def test_a_second_machine_goes_on_with_what_the_first_has_made_and_reads_no_byte_twice(
    bucket: Bucket, tmp_path: Path, tiny_faces: TinyFaces
) -> None:
    first = machine(tmp_path / "first", bucket.url)
    RAW[NAME].build(first.raw(NAME), Pictures(tiny_faces))
    first.run("ingest baseline", NAME)
    assert bucket.reads == [], "a machine reads nothing of what it has made"

    second = machine(tmp_path / "second", bucket.url)
    seeds = {"baseline": {"seeds": [0, 1]}}
    ran = second.run("ingest baseline", NAME, **seeds)
    assert ran
    assert [name for name in ran if not name.startswith("baseline.baseline-s1-f0-")] == []
    read = [name for name, _ in bucket.reads]
    assert len(read) == len(set(read))
    assert {Path(name).suffix for name in read} >= {".arrow", ".parquet", ".csv"}
    assert not any(name.endswith(".safetensors") for name in read), "no node needs the models of the first machine"
    bucket.reads.clear()
    assert second.run("ingest baseline", NAME, **seeds) == []
    assert bucket.reads == []

    assert first.run("report", NAME)
    page = (copy_on(first, bucket) / "08_reporting/report/report.html").read_text()
    assert "baseline-s0-f0" in page
    assert "baseline-s1-f0" in page
    shutil.rmtree(first.path / "data")
    assert first.run("report", NAME) == []
    assert outputs(copy_on(first, bucket)).items() >= {"08_reporting/report/report.html": page.encode()}.items()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"data_root": "gs://bucket/folder"},
            "data_root is 'gs://bucket/folder'; give s3://bucket/folder, or a folder",
        ),
        ({"raw_root": "s3://bucket/raw"}, "raw_root is 's3://bucket/raw', and raw data are read from folders only"),
        ({"data_root": "s3://nowhere/folder"}, "s3://nowhere/folder cannot be listed: The specified bucket does not"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_error_before_any_node_runs(given, words, bucket, tmp_path) -> None:
    workshop = Workshop.new(tmp_path / "project")
    (workshop.path / "conf/local/globals.yml").write_text(yaml.safe_dump(given))
    said = typed(workshop.path, "--pipelines", "baseline", expect=1)
    assert words in said
    assert "Traceback" not in said
