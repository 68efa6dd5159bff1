"""A cache of derived arrays: written whole, checked on reading, never trusted when damaged."""

import logging
import os
import zipfile
import zlib
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from openfer.io.atomic import atomic_path

_LOGGER = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the user's cache folder for the embedded faces, under ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "openfer" / "synthetic"


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
