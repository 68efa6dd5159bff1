"""Results in a bucket: two machines, each with a copy, and a server that counts what they read."""

import os
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from tests.bucket import Bucket, outputs, s3_server

from openfer.errors import DataError, ParameterError, StorageError
from openfer.io.face_store import FaceStore
from openfer.io.object_store import ObjectStore
from openfer.io.provenance import (
    Ingredients,
    content_hash,
    forget,
    is_elsewhere,
    read_record,
    record_path,
    write_record,
)
from openfer.io.working_copy import WorkingCopy

FACES, ROWS = "03_primary/raf/faces", "02_intermediate/raf/rows.parquet"
OLD, NEW = (Ingredients({"seed": seed}, {}, {}) for seed in (0, 1))


@pytest.fixture(scope="module")
def server():
    with s3_server() as found:
        yield found


@pytest.fixture
def bucket(server) -> Bucket:
    return server.new_bucket()


@pytest.fixture
def here(bucket, tmp_path) -> WorkingCopy:
    return WorkingCopy(bucket.url, tmp_path / "here")


@pytest.fixture
def there(bucket, tmp_path) -> WorkingCopy:
    return WorkingCopy(bucket.url, tmp_path / "there")


def make(copy: WorkingCopy, name: str, source: Path, made_by: Ingredients = OLD) -> Path:
    """Make an output as a node does; ``source`` is copied as its result."""
    output = copy.folder / name
    copy.begin(output)
    forget(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, output, dirs_exist_ok=True)
    else:
        shutil.copy(source, output)
    write_record(output, made_by)
    copy.share(output)
    return output


@pytest.fixture
def rows(tmp_path, tiny_faces) -> Path:
    tiny_faces.scenes[["sample_id", "expression"]].to_parquet(tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def test_another_machine_has_tables_at_once_and_faces_when_it_reads_them(bucket: Bucket, here, there, rows, tiny_faces):
    make(here, ROWS, rows)
    made = make(here, FACES, tiny_faces.store.folder)
    there.update()
    assert pd.read_parquet(there.folder / ROWS)["expression"].notna().all()
    faces = there.folder / FACES
    assert not faces.exists()
    assert content_hash(faces) == content_hash(made), "its content is known before it is here"
    assert not any(name.endswith(".arrow") for name, _ in bucket.reads)
    there.fetch(faces)
    assert (FaceStore(faces).image(3) == tiny_faces.store.image(3)).all()
    assert outputs(there.folder) == outputs(here.folder)


def test_no_byte_is_read_twice_by_a_machine_and_none_by_the_machine_that_made_it(
    bucket: Bucket, here, there, rows, tiny_faces
):
    make(here, ROWS, rows)
    make(here, FACES, tiny_faces.store.folder)
    here.update()
    assert bucket.bytes_read == 0
    for _ in range(2):
        there.update()
        there.fetch(there.folder / FACES)
        WorkingCopy(bucket.url, there.folder.parents[1]).update()  # the next command
    names = [name for name, _ in bucket.reads]
    assert sorted(names) == sorted(bucket.names)
    assert bucket.bytes_read > sum(len(content) for content in outputs(there.folder).values())


def test_what_is_made_again_replaces_what_other_machines_have(bucket: Bucket, here, there, rows, tiny_faces, tmp_path):
    make(here, ROWS, rows)
    make(here, FACES, tiny_faces.store.folder)
    there.update()
    there.fetch(there.folder / FACES)
    changed = tmp_path / "changed"
    shutil.copytree(tiny_faces.store.folder, changed)
    (changed / "index.json").write_text((changed / "index.json").read_text() + "\n")
    make(here, FACES, changed, NEW)
    bucket.reads.clear()
    there.update()
    faces = there.folder / FACES
    assert is_elsewhere(faces)
    there.fetch(faces)
    assert outputs(there.folder) == outputs(here.folder)
    assert not any(name.endswith(".arrow") for name, _ in bucket.reads), "the equal shard was here already"


def test_what_is_being_made_again_is_unfinished_for_other_machines(bucket: Bucket, here, there, rows):
    output = make(here, ROWS, rows)
    here.begin(output)
    assert bucket.names == {ROWS}
    there.update()
    assert not (there.folder / ROWS).exists()
    here.update()  # by another command of the machine that makes it
    assert output.is_file()


def test_an_update_leaves_alone_what_a_living_process_is_making(here, there, bucket: Bucket, rows, tmp_path):
    make(here, ROWS, rows)
    there.update()
    output = there.folder / ROWS
    there.begin(output)
    forget(output)
    output.write_bytes(b"half a table")
    other = tmp_path / "other.parquet"
    pd.read_parquet(rows).head(3).to_parquet(other)
    make(here, ROWS, other, NEW)
    WorkingCopy(bucket.url, there.folder.parents[1]).update()
    assert output.read_bytes() == b"half a table"


def test_what_was_made_but_not_uploaded_when_a_command_was_killed_is_uploaded_by_the_next_one(
    bucket: Bucket, here, there, rows
):
    output = here.folder / ROWS
    here.begin(output)
    output.parent.mkdir(parents=True)
    shutil.copy(rows, output)
    write_record(output, OLD)
    again = WorkingCopy(bucket.url, here.folder.parents[1])
    again.update()
    again.share(output)
    there.update()
    assert outputs(there.folder) == {ROWS: rows.read_bytes()}


def test_a_download_that_was_cut_off_goes_on_where_it_was(bucket: Bucket, here, there, tiny_faces, monkeypatch):
    made = make(here, FACES, tiny_faces.store.folder)
    there.update()
    download = ObjectStore.download

    def one_object_and_a_half(store, targets):
        whole, half, *_ = sorted(targets.items())
        download(store, dict([whole]))
        half[1].write_bytes((made / half[1].name).read_bytes()[:1000])
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(ObjectStore, "download", one_object_and_a_half)
        with pytest.raises(KeyboardInterrupt):
            there.fetch(there.folder / FACES)
    assert not (there.folder / FACES).exists()
    there.fetch(there.folder / FACES)
    assert outputs(there.folder) == outputs(here.folder)
    assert sorted(name for name, _ in bucket.reads if name.startswith(FACES)) == sorted(
        f"{FACES}/{path.name}" for path in made.iterdir()
    ), "the object that was whole is not read again"


def test_a_damaged_store_is_an_error_that_names_it_and_is_not_kept(bucket: Bucket, here, there, tiny_faces):
    made = make(here, FACES, tiny_faces.store.folder)
    shard = FaceStore(made).shards[0]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    bucket.put(f"{FACES}/{shard.name}", bytes(content))
    there.update()
    with pytest.raises(DataError, match=f"{FACES} in s3://.* is not what its record says"):
        there.fetch(there.folder / FACES)
    assert outputs(there.folder) == {}
    bucket.put(f"{FACES}/{shard.name}", shard.read_bytes())
    there.fetch(there.folder / FACES)
    assert outputs(there.folder) == outputs(here.folder)


def test_objects_that_would_be_written_elsewhere_than_in_a_layer_are_left_alone(
    bucket: Bucket, here, there, rows, tmp_path
):
    output = make(here, ROWS, rows)
    record = record_path(output).read_bytes()
    for folder in ("../..", "02_intermediate/../..", ".locks"):
        bucket.put(f"{folder}/rows.parquet", output.read_bytes())
        bucket.put(f"{folder}/.rows.parquet.made.json", record)
    there.update()
    assert [str(path.relative_to(there.folder)) for path in tmp_path.joinpath("there").rglob("*.parquet")] == [ROWS]
    assert not any(name.startswith((".", "02_intermediate/..")) for name, _ in bucket.reads)


def test_a_damaged_table_counts_as_not_made(bucket: Bucket, here, there, rows, caplog):
    make(here, ROWS, rows)
    bucket.put(ROWS, b"damaged")
    there.update()
    assert read_record(there.folder / ROWS) is None
    assert f"{ROWS} in {bucket.url} is not what its record says" in caplog.text


def test_a_removed_run_is_removed_in_the_bucket_too(bucket: Bucket, here, rows):
    folder = "07_model_output/addl/addl-s0-f0-3fa92c"
    make(here, f"{folder}/predictions.parquet", rows)
    make(here, ROWS, rows)
    here.remove(here.folder / folder)
    shutil.rmtree(here.folder / folder)
    here.update()
    assert set(outputs(here.folder)) == {ROWS}
    assert {name for name in bucket.names if not name.startswith("02")} == set()


def test_faces_that_were_deleted_from_the_copy_are_fetched_again(here, there, tiny_faces):
    make(here, FACES, tiny_faces.store.folder)
    there.update()
    there.fetch(there.folder / FACES)
    shutil.rmtree(there.folder / FACES)
    there.update()
    there.fetch(there.folder / FACES)
    assert outputs(there.folder) == outputs(here.folder)


def test_a_record_is_written_on_every_machine_with_the_times_of_its_own_files(here, there, rows):
    mine = make(here, ROWS, rows)
    os.utime(mine, (0, 0))
    there.update()
    theirs = there.folder / ROWS
    assert read_record(theirs).content == read_record(mine).content
    assert read_record(theirs).stamp != read_record(mine).stamp
    assert record_path(theirs).is_file()


@pytest.mark.parametrize("url", ["gs://bucket/folder", "file:///data", "s3://"])
def test_an_address_of_another_kind_is_refused(url):
    with pytest.raises(ParameterError, match=rf"data_root is '{url}'; give s3://bucket/folder, or a folder"):
        ObjectStore(url)


def test_without_s3fs_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    words = r"data_root s3://bucket/folder needs the package s3fs, which .*; run `pip install 'openfer\[s3\]'`"
    with pytest.raises(ParameterError, match=words):
        ObjectStore("s3://bucket/folder")


def test_a_bucket_that_does_not_exist_is_an_error_that_names_it(bucket: Bucket, tmp_path):
    with pytest.raises(
        StorageError, match="s3://elsewhere/folder cannot be listed: The specified bucket does not exist"
    ):
        WorkingCopy("s3://elsewhere/folder", tmp_path).update()
