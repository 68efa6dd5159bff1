"""The runner on a working copy of a bucket: what another machine has made is up to date here."""

import json
from pathlib import Path

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node
from kedro_datasets.json import JSONDataset
from tests.bucket import Bucket, s3_server

from openfer.errors import StorageError
from openfer.io import copies
from openfer.io.object_store import ObjectStore
from openfer.runners import IdempotentRunner

calls: list[str] = []


def double(factor: int, raw: list[int]) -> list[int]:
    calls.append("double")
    return [factor * number for number in raw]


def total(doubled: list[int]) -> int:
    calls.append("total")
    return sum(doubled)


PIPELINE = Pipeline([node(double, ["params:factor", "params:raw"], "doubled"), node(total, "doubled", "sum")])


@pytest.fixture(scope="module")
def server():
    with s3_server() as found:
        yield found


@pytest.fixture
def bucket(server) -> Bucket:
    return server.new_bucket()


def run(bucket: Bucket, machine: Path, factor: int = 2) -> list[str]:
    """Run the pipeline as a command of a machine does; returns the nodes that ran."""
    root = copies.work_in_copy(bucket.url, machine)
    copies.update(root)
    files = {name: JSONDataset(filepath=str(root / f"03_primary/{name}.json")) for name in ("doubled", "sum")}
    given = {"params:factor": MemoryDataset(factor), "params:raw": MemoryDataset([1, 2, 3])}
    calls.clear()
    IdempotentRunner().run(PIPELINE, DataCatalog({**files, **given}))
    return calls.copy()


def total_on(bucket: Bucket, machine: Path) -> int:
    return json.loads((copies.work_in_copy(bucket.url, machine) / "03_primary/sum.json").read_text())


def test_what_one_machine_has_made_is_up_to_date_on_another(bucket, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert run(bucket, first) == ["double", "total"]
    assert run(bucket, second) == []
    assert total_on(bucket, second) == 12
    assert run(bucket, second, factor=3) == ["double", "total"]
    bucket.reads.clear()
    assert run(bucket, first, factor=3) == []
    assert total_on(bucket, first) == 18
    assert sorted(name for name, _ in bucket.reads) == sorted(bucket.names)


def test_a_bucket_that_refuses_an_upload_is_an_error_and_the_next_command_uploads(bucket, tmp_path, monkeypatch):
    def refuse(self, sources):
        with self._worded("written"):
            raise PermissionError("Access Denied")

    with monkeypatch.context() as away:
        away.setattr(ObjectStore, "upload", refuse)
        with pytest.raises(StorageError, match=f"{bucket.url} cannot be written: Access Denied"):
            run(bucket, tmp_path / "first")
    assert bucket.names == set()
    assert run(bucket, tmp_path / "first") == ["total"]
    assert "03_primary/doubled.json" in bucket.names
    assert run(bucket, tmp_path / "second") == []


def test_a_removed_folder_is_gone_here_and_in_the_bucket(bucket, tmp_path):
    run(bucket, tmp_path / "first")
    copies.remove_folder(copies.work_in_copy(bucket.url, tmp_path / "first") / "03_primary")
    assert bucket.names == set()
    assert run(bucket, tmp_path / "first") == ["double", "total"]
