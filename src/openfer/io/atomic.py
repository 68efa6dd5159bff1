"""Atomic writes: a reader sees the old file or the whole new one, never a half."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openfer.errors import StorageError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; rename it onto ``target`` when the block succeeds.

    Args:
        target: the file or folder to be written. Its parent folders are made. An existing folder
            is replaced as a whole.

    Yields:
        A path in the same folder, where the block writes a file or makes a folder.

    Raises:
        StorageError: if the disk is full; the temporary file is removed, ``target`` is untouched.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        _replace(temporary, target)
    except OSError as error:
        _remove(temporary)
        if says_no_room(error):
            raise StorageError(no_room_message(target)) from error
        raise
    except BaseException:
        _remove(temporary)
        raise


def write_bytes(target: Path, content: bytes) -> None:
    """Write ``content`` to ``target`` atomically.

    Raises:
        StorageError: if the disk is full; the previous content of ``target`` is intact.
    """
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)


def says_no_room(error: OSError) -> bool:
    """Tell whether the system refused a write because a disk, a quota or a file's limit is full."""
    return error.errno in _NO_ROOM


def no_room_message(target: Path) -> str:
    """Return the words for a disk that has no room left for ``target``."""
    existing = next(parent for parent in target.absolute().parents if parent.exists())
    free = shutil.disk_usage(existing).free / 2**20
    return (
        f"{target} could not be written: no room left on the device ({free:.0f} MiB free). "
        "What was there before is intact; free some space and run the same command again, it goes on from here."
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder as the hash of its sorted names and files."""
    if path.is_dir():
        whole = hashlib.sha256()
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            whole.update(f"{file.relative_to(path).as_posix()}\0{sha256_of(file)}\n".encode())
        return whole.hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _flush(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())


def _replace(temporary: Path, target: Path) -> None:
    if temporary.is_dir() and target.exists():
        retired = target.with_name(f".{target.name}.{os.getpid()}.old")
        target.rename(retired)
        temporary.rename(target)
        _remove(retired)
    else:
        temporary.replace(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
