"""What a copy holds: every file with its size and hash."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from openfer.datasets.tree import Tree

_THREADS = 8
"""Hashing leaves Python's lock, so threads read and hash side by side."""


def take_inventory(tree: Tree) -> pd.DataFrame:
    """Hash every file of a raw folder.

    Returns:
        ``path``, ``bytes`` and ``sha256`` (null where the system refuses to read the file), in the order of paths.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        hashes = list(pool.map(_hash, (tree.root / name for name in tree.files), chunksize=64))
    sizes = [(tree.root / name).stat().st_size for name in tree.files]
    return pd.DataFrame({"path": list(tree.files), "bytes": sizes, "sha256": hashes})


def _hash(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
