"""The working copies of this process; where a path lies in none, nothing is exchanged."""

import shutil
from pathlib import Path

from openfer.io.working_copy import WorkingCopy

_copies: dict[Path, WorkingCopy] = {}


def work_in_copy(url: str, parent: Path) -> Path:
    """Work in a copy of a folder in a bucket from now on.

    Args:
        url: ``s3://bucket/prefix``.
        parent: folder of all copies of this machine.

    Returns:
        The folder of the copy, absolute.

    Raises:
        ParameterError: if the address is of another kind, or s3fs is not installed.
    """
    copy = WorkingCopy(url, parent)
    _copies.setdefault(copy.folder, copy)
    return copy.folder


def copy_of(path: Path) -> WorkingCopy | None:
    """Return the copy that a path lies in, if any."""
    place = path.absolute()
    return next((copy for folder, copy in _copies.items() if place.is_relative_to(folder)), None)


def update(root: Path) -> None:
    """Copy what other machines have made; see :meth:`WorkingCopy.update`."""
    if (copy := copy_of(root)) is not None:
        copy.update()


def fetch(output: Path) -> None:
    """Make sure that the files of an output are here; see :meth:`WorkingCopy.fetch`."""
    if (copy := copy_of(output)) is not None:
        copy.fetch(output)


def begin(output: Path) -> None:
    """Retract what the bucket has of an output that is made again; see :meth:`WorkingCopy.begin`."""
    if (copy := copy_of(output)) is not None:
        copy.begin(output)


def share(output: Path) -> None:
    """Upload an output unless the bucket has it; see :meth:`WorkingCopy.share`."""
    if (copy := copy_of(output)) is not None:
        copy.share(output)


def remove_folder(folder: Path) -> None:
    """Remove a folder here and in the bucket; see :meth:`WorkingCopy.remove`."""
    if (copy := copy_of(folder)) is not None:
        copy.remove(folder)
    shutil.rmtree(folder)
