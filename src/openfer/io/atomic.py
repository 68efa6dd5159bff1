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
_NOT_ALLOWED = {errno.EACCES, errno.EPERM}


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; rename it onto ``target`` when the block succeeds.

    Args:
        target: the file or folder to be written. Its parent folders are made. An existing folder
            is replaced as a whole.

    Yields:
        A path in the same folder, where the block writes a file or makes a folder.

    Raises:
        StorageError: if the disk is full or the folder is read-only; the temporary file is removed, ``target`` is
            untouched.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        _replace(temporary, target)
    except OSError as error:
        _remove(temporary)
        error = _first_refusal(error)
        words = refusal_message(error, target)
        if words is None and error.errno in _NOT_ALLOWED and _is_beside(error.filename, target):
            words = _read_only_message(error, target)
        if words is not None:
            raise StorageError(words) from error
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


def refusal_message(error: OSError, target: Path) -> str | None:
    """Return the words for a full disk, quota or file limit, or a read-only file system; None for other errors.

    Args:
        error: what the system raised.
        target: the file that was to be written.
    """
    if error.errno in _NO_ROOM:
        existing = next(parent for parent in target.absolute().parents if parent.exists())
        free = shutil.disk_usage(existing).free / 2**20
        return (
            f"{target} could not be written: no room left on the device ({free:.0f} MiB free). "
            "What was there before is intact; free some space and run the same command again, it goes on from here."
        )
    return _read_only_message(error, target) if error.errno == errno.EROFS else None


def _first_refusal(error: OSError) -> OSError:
    """Return the first refused write of :func:`shutil.copytree`, which collects them as words; else the same error."""
    if not isinstance(error, shutil.Error) or not isinstance(error.args[0], list):
        return error
    for _, copy, reason in error.args[0]:
        for code in sorted(_NO_ROOM | _NOT_ALLOWED | {errno.EROFS}):
            if str(reason).startswith(f"[Errno {code}]"):
                return OSError(code, os.strerror(code), str(copy))
    return error


def _read_only_message(error: OSError, target: Path) -> str:
    return (
        f"{target} could not be written: {os.strerror(error.errno or 0)}. "
        "What was there before is intact; allow writing in this folder and run the same command again, which resumes."
    )


def _is_beside(refused: object, target: Path) -> bool:
    """Tell whether a path of an error is in the folder of ``target`` or above it, and no file that was read."""
    if not isinstance(refused, str | os.PathLike):
        return False
    path = Path(refused)
    return path.is_relative_to(target.parent) or target.is_relative_to(path)


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
