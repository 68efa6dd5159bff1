"""Locks between commands in one checkout: who makes results, and who uses them. A killed command holds none."""

import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from openfer.errors import RunError

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, commands in one checkout are not kept apart
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)
_PATIENCE = 20.0
"""Seconds until a command that uses results is taken to do so for long; one that looks at them is gone before."""

_PAUSE = 0.2


class Locks:
    """What one command makes and uses. Any number may use a thing; one that makes it is alone.

    Attributes:
        making: names of what this command makes.

    Args:
        folder: of the lock files, made if needed; None or a folder that cannot be written locks nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder if fcntl is not None else None
        self._held: dict[str, int] = {}
        self.making: set[str] = set()

    def use(self, name: str) -> None:
        """Use a thing; waits for a command that makes it. What this command makes it uses from then on."""
        if name in self._held:
            if name in self.making:
                self.making.remove(name)
                fcntl.flock(self._held[name], fcntl.LOCK_SH)
            return
        place = self._open(name)
        if place is None:
            return
        if not _try(place, fcntl.LOCK_SH):
            self._say(name)
            fcntl.flock(place, fcntl.LOCK_SH)
        self._hold(name, place)

    def make(self, name: str, is_done: Callable[[], bool]) -> bool:
        """Make a thing alone; returns False if another command has made the same in the meantime.

        Args:
            name: of the thing.
            is_done: whether it is there as this command would make it.

        Raises:
            RunError: if another command uses it, for whose results it may not change; the message names it.
        """
        if name in self.making:
            return True
        self.release(name)
        place = self._open(name)
        if place is None:
            return True
        began = time.monotonic()
        while not _try(place, fcntl.LOCK_EX):
            if _try(place, fcntl.LOCK_SH):  # nobody makes it, somebody uses it
                fcntl.flock(place, fcntl.LOCK_UN)
                if time.monotonic() - began > _PATIENCE:
                    os.close(place)
                    raise RunError(
                        f"{name} is to be made again, and {self._others(name)} uses it. Wait for its end, or run one "
                        "of the two in another checkout"
                    )
                time.sleep(_PAUSE)
                continue
            self._say(name)
            fcntl.flock(place, fcntl.LOCK_SH)
            if is_done():
                self._hold(name, place)
                return False
            fcntl.flock(place, fcntl.LOCK_UN)
            began = time.monotonic()
        self._hold(name, place)
        self.making.add(name)
        return True

    def release(self, name: str) -> None:
        """Leave a thing to others."""
        place = self._held.pop(name, None)
        self.making.discard(name)
        if place is not None:
            os.close(place)
            with suppress(OSError):
                self._card(name, os.getpid()).unlink()

    def close(self) -> None:
        """Leave all."""
        for name in [*self._held]:
            self.release(name)

    def _open(self, name: str) -> int | None:
        if self._folder is None:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return os.open(self._folder / f"{_plain(name)}.lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:  # what cannot be written is not made again either
            return None

    def _hold(self, name: str, place: int) -> None:
        self._held[name] = place
        with suppress(OSError):
            self._card(name, os.getpid()).write_text(" ".join(["kedro", *sys.argv[1:]]))

    def _card(self, name: str, process: int) -> Path:
        """Return the file that says what a process runs; only the lock itself says that it still holds it."""
        assert self._folder is not None
        return self._folder / f"{_plain(name)}.{process}"

    def _others(self, name: str) -> str:
        """Return the living processes that hold a thing, with their commands."""
        assert self._folder is not None
        found = []
        for card in sorted(self._folder.glob(f"{_plain(name)}.*")):
            process = card.suffix[1:]
            if process.isdecimal() and int(process) != os.getpid() and lives(int(process)):
                found.append(f"process {process} ({card.read_text()})")
        return " and ".join(found) or "another command"

    def _say(self, name: str) -> None:
        _log.info("waiting for %s, which makes %s", self._others(name), name)


@contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """Let one command at a time do something.

    Args:
        path: of the lock file.
        what: the others wait for, for the log.
    """
    locks = Locks(path.parent)
    locks.make(f"{path.name} of {what}", lambda: False)
    try:
        yield
    finally:
        locks.close()


def _try(place: int, kind: int) -> bool:
    try:
        fcntl.flock(place, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)


def lives(process: int) -> bool:
    """Return whether there is a process with a number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
