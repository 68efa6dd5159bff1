"""What a copy holds: every file with its size and hash."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from openfer.datasets.tree import Tree

_THREADS = 8
"""Hashing leaves Python's lock, so threads read and hash side by side."""


_AT_ONCE = 4096
"""Files handed to the threads together, so that waiting ones cost no memory."""


def take_inventory(tree: Tree) -> pd.DataFrame:
    """Hash every file of a raw folder.

    Returns:
        ``path``, ``bytes`` and ``sha256`` (null where the system refuses to read the file), in the order of paths.
    """
    files = tree.files
    columns = ["path", "bytes", "sha256"]
    parts = [pd.DataFrame(columns=columns).astype({"path": str, "bytes": int, "sha256": str})]
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(files), _AT_ONCE):
            some = files[start : start + _AT_ONCE]
            facts = pool.map(_facts, (tree.root / name for name in some))
            found = [(name, *fact) for name, fact in zip(some, facts, strict=True)]
            parts.append(pd.DataFrame(found, columns=columns).astype({"path": str, "sha256": str}))
    return pd.concat(parts, ignore_index=True)


def _facts(path: Path) -> tuple[int, str | None]:
    return path.stat().st_size, _hash(path)


def _hash(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
