"""Results in a bucket, worked on in a copy on this machine.

All code reads and writes the copy, so that locks, checkpoints of unfinished work and atomic writes stay local. What is
exchanged with the bucket is an output together with its record (:mod:`openfer.io.provenance`):

- A command first updates the copy: new records come with their outputs. Of large outputs the record alone comes, which
  says that the content lies elsewhere; they are fetched, and compared with the record's hash, when a node reads them.
- Before a node makes an output, its record is retracted from the bucket; afterwards output and record are uploaded.

An output without a record in the bucket is unfinished, and nobody reads it. Nothing is copied twice: the copy remembers
the version of each object.
"""

import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from openfer.errors import DataError, StorageError
from openfer.io.atomic import atomic_path, sha256_of
from openfer.io.locks import alone
from openfer.io.object_store import ObjectStore, Stored
from openfer.io.object_versions import ObjectVersions
from openfer.io.provenance import arrived, is_elsewhere, is_there, output_of, read_record, record_path, settle

_log = logging.getLogger(__name__)

_LAYER = re.compile(r"\d\d_\w+/")
"""How the name of every output begins."""

_INCOMING = ".incoming"
_LARGE_LAYER = "04_feature"
_LARGE_FOLDERS = ("faces", "selected")
_LARGE_FILES = (".safetensors", ".onnx")
_TRIES = 3
_MEGABYTE = 1e6


class WorkingCopy:
    """The copy on this machine of a folder of layers in a bucket.

    Args:
        url: ``s3://bucket/prefix``.
        parent: folder of all copies; each machine needs its own.

    Attributes:
        url: the same.
        folder: of the copy, absolute; made when it is needed.

    Raises:
        ParameterError: if the address is of another kind, or s3fs is not installed.
    """

    def __init__(self, url: str, parent: Path) -> None:
        self._store = ObjectStore(url)
        self.url, self.folder = self._store.url, parent.absolute() / self._store.place
        self._versions = ObjectVersions(self.folder / ".versions.sqlite")

    def update(self) -> None:
        """Copy what other machines have made since the last update; of large outputs the records.

        Raises:
            StorageError: if the bucket cannot be read.
        """
        for tries_left in reversed(range(_TRIES)):
            try:
                with self._alone():
                    self._update()
                return
            except StorageError as error:  # an object is gone that was listed: another machine makes it again
                if not tries_left or not isinstance(error.__cause__, FileNotFoundError):
                    raise

    def fetch(self, output: Path) -> None:
        """Copy an output of which the record alone is here; nothing else happens to any other.

        Raises:
            DataError: if it is not what its record says.
            StorageError: if the bucket cannot be read.
        """
        if not is_elsewhere(output):
            return
        with self._alone(f"fetch {self._name(output)}"):
            record = read_record(output)
            if record is None or not is_elsewhere(output):  # another command has fetched it
                return
            name = self._name(output)
            listed = self._store.listing(name)
            part = output.with_name(f".{output.name}.{record.content[:16]}.part")
            self._download_whole(listed, {each: part / PurePosixPath(each).relative_to(name) for each in listed})
            if not part.exists() or sha256_of(part) != record.content:
                _remove(part)
                raise DataError(
                    f"{name} in {self.url} is not what its record says: it is damaged, or another machine makes it "
                    f"again just now. Wait for the other machine, or remove {name} there and run the same command again"
                )
            with atomic_path(output) as temporary:
                part.rename(temporary)
            arrived(output)
            self._versions.note({each: stored.version for each, stored in listed.items()})

    def begin(self, output: Path) -> None:
        """Retract the record of an output that is made again, so that a half of it is never trusted.

        Raises:
            StorageError: if the bucket cannot be written.
        """
        record = self._name(record_path(output))
        with self._alone():
            self._store.remove([record])
            self._versions.begin(record)

    def share(self, output: Path) -> None:
        """Upload an output with its record, unless the bucket has it.

        Raises:
            StorageError: if the bucket cannot be written.
        """
        name, record = self._name(output), self._name(record_path(output))
        if read_record(output) is None or is_elsewhere(output) or self._versions.has(record):
            return
        paths = (path for path in output.rglob("*") if path.is_file()) if output.is_dir() else [output]
        sources = {self._name(path): path for path in paths}
        self._store.upload(sources)
        listed = self._store.listing(name)
        self._store.remove(listed.keys() - sources.keys())
        self._store.upload({record: record_path(output)})
        listed |= self._store.listing(record)
        self._versions.note({each: stored.version for each, stored in listed.items() if each in {*sources, record}})

    def remove(self, folder: Path) -> None:
        """Remove what the bucket has of a folder.

        Raises:
            StorageError: if the bucket cannot be written.
        """
        names = self._store.listing(self._name(folder))
        self._store.remove(names)
        self._versions.forget(names)

    def _update(self) -> None:
        listed, known, being_made = self._store.listing(), self._versions.known(), self._versions.being_made()
        self._versions.forget(known.keys() - listed.keys())
        records = {name: output_of(PurePosixPath(name)) for name in listed.keys() - being_made}
        new = {
            name: str(output)
            for name, output in sorted(records.items())
            if output is not None
            and _LAYER.match(name)
            and not (known.get(name) == listed[name].version and self._is_here(output))
        }
        small = [output for output in new.values() if not _is_large(output) and output in listed]
        wanted = [output for output in small if not self._has(output, known, listed)] + list(new)
        incoming = self.folder / _INCOMING
        _remove(incoming)
        arriving = {name: incoming / str(number) for number, name in enumerate(wanted)}
        self._store.download(arriving)
        for name, path in arriving.items():
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        for output in new.values():
            if not settle(self.folder / output, may_be_elsewhere=_is_large(output)):
                _log.warning("%s in %s is not what its record says; a command makes it again", output, self.url)
        self._versions.note({name: listed[name].version for name in wanted})
        if wanted:
            size = sum(listed[name].bytes for name in wanted) / _MEGABYTE
            _log.info("copied %d files (%.1f MB) from %s to %s", len(wanted), size, self.url, self.folder)

    def _is_here(self, output: PurePosixPath) -> bool:
        path = self.folder / output
        return record_path(path).is_file() and is_there(path)

    def _has(self, name: str, known: dict[str, str], listed: dict[str, Stored]) -> bool:
        return known.get(name) == listed[name].version and (self.folder / name).is_file()

    def _download_whole(self, listed: dict[str, Stored], targets: dict[str, Path]) -> None:
        """Download objects that an earlier attempt has not brought, and that are not here from before."""
        known = self._versions.known()
        missing = {}
        for name, target in targets.items():
            if target.is_file() and target.stat().st_size == listed[name].bytes:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if self._has(name, known, listed):
                shutil.copyfile(self.folder / name, target)
            else:
                missing[name] = target
        self._store.download(missing)
        size = sum(listed[name].bytes for name in missing) / _MEGABYTE
        _log.info("copied %d files (%.1f MB) from %s to %s", len(missing), size, self.url, self.folder)

    def _name(self, path: Path) -> str:
        return path.absolute().relative_to(self.folder).as_posix()

    @contextmanager
    def _alone(self, what: str = "exchange") -> Iterator[None]:
        with alone(self.folder / ".locks" / what.replace("/", "_"), "the bucket"):
            yield


def _is_large(output: str) -> bool:
    """Tell whether an output is copied only when a node reads it: faces, features of faces, and models."""
    place = PurePosixPath(output)
    return place.parts[0] == _LARGE_LAYER or place.name in _LARGE_FOLDERS or place.suffix in _LARGE_FILES


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
