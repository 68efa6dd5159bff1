"""What a copy holds: every file with its size and hash."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from openfer.datasets.tree import Tree
from openfer.io.names import on_disk

_THREADS = 8
"""Hashing leaves Python's lock, so threads read and hash side by side."""

_AT_ONCE = 4096
"""Files handed to the threads together, so that waiting ones cost no memory."""

_KINDS, _EXAMPLES = 5, 3
"""Suffixes and files that a person is shown."""


def take_inventory(tree: Tree) -> Iterator[pd.DataFrame]:
    """Hash every file of a raw folder.

    Yields:
        ``path``, ``bytes`` and ``sha256`` (null where the system refuses to read the file), in the order of paths.
    """
    files = tree.walk()
    with ThreadPoolExecutor(_THREADS) as pool:
        while some := list(islice(files, _AT_ONCE)):
            facts = pool.map(_facts, (on_disk(tree.root, name) for name in some))
            found = [(name, *fact) for name, fact in zip(some, facts, strict=True)]
            yield pd.DataFrame(found, columns=["path", "bytes", "sha256"]).astype({"path": str, "sha256": str})


def with_contents(rows: Iterable[pd.DataFrame], inventory: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Give rows a number for the content of their file, both tables some at a time.

    Args:
        rows: in the order of ``path``.
        inventory: of the same folder, the columns ``path, sha256``, in the order of ``path``.

    Yields:
        The rows with the column ``content``: 60 bits of the hash, enough to tell another file; -1 where it is missing.
    """
    files = iter(inventory)
    known = pd.DataFrame({"path": pd.Series(dtype=str), "content": pd.Series(dtype=np.int64)})
    for some in rows:
        last = some["path"].iloc[-1]
        while known.empty or known["path"].iloc[-1] < last:
            more = next(files, None)
            if more is None:
                break
            numbers = [int(digits[:15], 16) for digits in more["sha256"].fillna("0")]
            known = pd.concat([known, pd.DataFrame({"path": more["path"], "content": numbers})], ignore_index=True)
        place = pd.Index(known["path"]).get_indexer(pd.Index(some["path"]))
        yield some.assign(content=np.append(known["content"], -1)[place])
        known = known[known["path"] >= last]  # the next rows may be of the same file


def unused_files(rows: Iterable[pd.DataFrame], inventory: Iterable[pd.DataFrame]) -> Iterator[str]:
    """Yield the files of a copy that no row names, both tables in the order of ``path``, some rows at a time."""
    named = (str(path) for some in rows for path in some["path"])
    wanted = next(named, None)
    for files in inventory:
        for path in map(str, files["path"]):
            while wanted is not None and wanted < path:
                wanted = next(named, None)
            if path != wanted:
                yield path


def by_suffix(paths: Iterable[str]) -> str:
    """Return how many files there are, of which suffixes, and some of them by name; empty without any."""
    suffixes: Counter[str] = Counter()
    first: list[str] = []
    for path in paths:
        suffixes[PurePosixPath(path).suffix.lower() or "no suffix"] += 1
        if len(first) < _EXAMPLES:
            first.append(path)
    if not first:
        return ""
    kinds = ", ".join(f"{name} ({count:,})" for name, count in suffixes.most_common(_KINDS))
    return f"{suffixes.total():,}: {kinds}{' ...' if len(suffixes) > _KINDS else ''}; such as {', '.join(first)}"


def _facts(path: Path) -> tuple[int, str | None]:
    return path.stat().st_size, _hash(path)


def _hash(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
