import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openfer.errors import StorageError
from openfer.io.atomic import atomic_path, sha256_of, write_bytes


def test_a_failed_write_leaves_the_old_file_and_no_temporary(tmp_path: Path) -> None:
    target = tmp_path / "table.bin"
    write_bytes(target, b"old")

    def write_half() -> None:
        with atomic_path(target) as temporary:
            temporary.write_bytes(b"new")
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        write_half()
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.bin"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "faces"
    for names in (("a", "b"), ("c",)):
        with atomic_path(target) as temporary:
            temporary.mkdir()
            for name in names:
                (temporary / name).write_text(name)
    assert [p.name for p in target.iterdir()] == ["c"]
    assert [p.name for p in tmp_path.iterdir()] == ["faces"]


def test_the_hash_of_a_folder_changes_with_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = sha256_of(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    second = sha256_of(tmp_path)
    (tmp_path / "b").write_text("2")
    assert len({first, second, sha256_of(tmp_path)}) == 3


def test_a_disk_that_refuses_is_a_storage_error_and_the_old_file_stays(tmp_path: Path) -> None:
    target = tmp_path / "model.safetensors"
    write_bytes(target, b"old")
    script = f"""
import resource, signal
from pathlib import Path
from openfer.errors import StorageError
from openfer.io.atomic import write_bytes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(Path({str(target)!r}), b"x" * 5000)
except StorageError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "model.safetensors could not be written: no room left" in said
    assert "run the same command again" in said
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_read_only_folder_is_a_storage_error_and_the_old_file_stays(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "table.bin"
    write_bytes(target, b"old")

    def refused(path: Path, content: bytes) -> int:  # whoever runs the tests as root may write everywhere
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(Path, "write_bytes", refused)
    with pytest.raises(StorageError, match=r"table\.bin could not be written: .*; allow writing in this folder"):
        write_bytes(target, b"new")
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.bin"]


def test_a_folder_that_does_not_fit_on_another_disk_is_a_storage_error_and_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "work", tmp_path / "faces"
    (source / "shards").mkdir(parents=True)
    (source / "shards" / "0.arrow").write_bytes(b"faces")

    def other_disk(*paths: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    def full(path: str, copy: str, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), copy)

    monkeypatch.setattr(os, "rename", other_disk)
    with (
        pytest.raises(StorageError, match="faces could not be written: no room left"),
        atomic_path(target) as temporary,
    ):
        shutil.move(source, temporary, copy_function=full)
    assert (source / "shards" / "0.arrow").read_bytes() == b"faces"
    assert [p.name for p in tmp_path.iterdir()] == ["work"]


def test_a_file_that_may_not_be_read_is_no_refused_write(tmp_path: Path) -> None:
    source = tmp_path / "secret" / "weights.bin"
    refused = PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(source))
    with pytest.raises(PermissionError, match="weights"), atomic_path(tmp_path / "data" / "copy.bin"):
        raise refused
