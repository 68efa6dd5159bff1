"""`dvc push` and `dvc pull` with a bucket, as docs/versions.md types them."""

import contextlib
import shutil
from pathlib import Path

import pytest
from dvc.cli import main

from tests.bucket import outputs, s3_server
from tests.conftest import TinyFaces
from tests.pipelines.raw_folders import RAW, Pictures


def dvc(*words: str) -> None:
    assert main(list(words)) == 0, words


@pytest.mark.slow
def test_a_raw_set_that_one_machine_pushes_to_a_bucket_is_pulled_by_another(
    tmp_path: Path, tiny_faces: TinyFaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    first, second = tmp_path / "first", tmp_path / "second"
    RAW["raf_db"].build(first / "data/01_raw/raf_db", Pictures(tiny_faces))
    with s3_server() as server:
        bucket = server.new_bucket()
        with contextlib.chdir(first):
            dvc("init", "--no-scm", "--quiet")
            dvc("add", "--quiet", "data/01_raw/raf_db")
            dvc("remote", "add", "--default", "store", bucket.url)
            dvc("push", "--quiet")
        raw = outputs(first / "data/01_raw/raf_db")
        assert len(bucket.names) >= len(set(raw.values())) > 0
        for name in (".dvc/config", "data/01_raw/raf_db.dvc"):  # what git brings
            (second / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(first / name, second / name)
        with contextlib.chdir(second):
            dvc("pull", "--quiet")
            assert outputs(second / "data/01_raw/raf_db") == raw
            bucket.reads.clear()
            dvc("pull", "--quiet")
            assert bucket.bytes_read == 0
