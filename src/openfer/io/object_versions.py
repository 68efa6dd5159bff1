"""Which version of each object a copy has, kept in a file that several processes may use at once."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from openfer.io.locks import lives

_PATIENCE = 60.0
"""Seconds to wait for another process that writes."""


class ObjectVersions:
    """Versions of objects by name, and the objects that processes of this machine are making again.

    Args:
        path: the file, made with its folder when it is first used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def known(self) -> dict[str, str]:
        """Return the versions of all objects that are here."""
        with self._open() as database:
            return dict(database.execute("SELECT name, version FROM objects WHERE maker IS NULL"))

    def has(self, name: str) -> bool:
        """Return whether an object is here as it is in the bucket."""
        with self._open() as database:
            found = database.execute("SELECT 1 FROM objects WHERE name = ? AND maker IS NULL", (name,))
            return found.fetchone() is not None

    def note(self, versions: Mapping[str, str]) -> None:
        """Take note of versions that are here now."""
        with self._open() as database:
            database.executemany("REPLACE INTO objects VALUES (?, ?, NULL)", versions.items())

    def forget(self, names: Iterable[str]) -> None:
        """Forget objects, but not those that are being made."""
        with self._open() as database:
            database.executemany("DELETE FROM objects WHERE name = ? AND maker IS NULL", [(name,) for name in names])

    def begin(self, name: str) -> None:
        """Take note that this process makes an object again, until its version is noted."""
        with self._open() as database:
            database.execute("REPLACE INTO objects VALUES (?, '', ?)", (name, os.getpid()))

    def being_made(self) -> set[str]:
        """Return the objects that a living process makes again."""
        with self._open() as database:
            found = database.execute("SELECT name, maker FROM objects WHERE maker IS NOT NULL").fetchall()
        return {name for name, maker in found if lives(maker)}

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS objects (name TEXT PRIMARY KEY, version TEXT, maker INTEGER)")
            yield database
