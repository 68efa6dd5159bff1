"""A cache of derived arrays: written whole, checked on reading, never trusted when damaged."""

import functools
import logging
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from openfer.io.atomic import atomic_path

_LOGGER = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the user's cache folder for the embedded faces, under ``$XDG_CACHE_HOME`` or ``~/.cache``.

    Where nothing can be written there, it is a folder of the user's own in the system's temporary folder.
    """
    return (users_cache() or _temporary_cache()) / "openfer" / "synthetic"


def users_cache() -> Path | None:
    """Return ``$XDG_CACHE_HOME`` or ``~/.cache``; None where it cannot be made or written."""
    named = os.environ.get("XDG_CACHE_HOME")
    try:
        root = Path(named) if named else Path.home() / ".cache"
        root.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home at all is a RuntimeError
        return None
    return root if os.access(root, os.W_OK | os.X_OK) else None


@functools.cache
def _temporary_cache() -> Path:
    """Make the folder for this user alone; another user's, or one that others may write, is not trusted."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    root = Path(tempfile.gettempdir()) / f"openfer-{user}"
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        found = root.lstat()
        trusted = stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077
    except OSError:
        trusted = False
    if not trusted:
        root = Path(tempfile.mkdtemp(prefix="openfer-"))
    _LOGGER.warning("the user's cache folder cannot be written, %s is used; XDG_CACHE_HOME names another one", root)
    return root


def cached_arrays(
    path: Path, names: Collection[str], build: Callable[[], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return the arrays stored in ``path``; build and store them where it is absent or damaged.

    Several processes may call this at once: each writes a whole file of its own and renames it.

    Args:
        path: an ``.npz`` file. Its name must hold everything that the arrays depend on.
        names: the arrays that a healthy file has.
        build: makes the arrays.

    Returns:
        The arrays by name.

    Raises:
        StorageError: if the disk is full.
    """
    if path.exists():
        try:
            return _read(path, names)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            _LOGGER.warning("the cache %s is damaged (%s) and is built again", path, error)
    arrays = build()
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)
    return arrays


def _read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        if set(archive.files) != set(names):
            raise ValueError(f"it holds {sorted(archive.files)}")
        return {name: archive[name] for name in names}
