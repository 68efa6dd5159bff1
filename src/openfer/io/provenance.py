"""What made a file: a small record beside it, and whether the file is still that one."""

import functools
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel

from openfer.errors import DataError
from openfer.io.atomic import sha256_of, write_bytes
from openfer.parameters import FILE, WITHOUT_EFFECT

_BEGIN, _END = ".", ".made.json"
"""Around the name of an output: the name of its record."""

_ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Ingredients:
    """What decides an output.

    Attributes:
        parameters: the decisive parameters by name.
        inputs: content hashes of the inputs by dataset name.
        code: hashes of the code that the node runs, by function and module.
    """

    parameters: dict[str, Any]
    inputs: dict[str, str]
    code: dict[str, str]

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all of it: equal fingerprints mean equal work."""
        text = json.dumps([self.parameters, self.inputs, self.code], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Record:
    """How an output came about.

    Attributes:
        fingerprint: of the ingredients.
        parameters: the decisive parameters by name.
        inputs: content hashes of the inputs by dataset name.
        code: hashes of the code that the node ran, by function and module.
        content: SHA-256 of the output when it was written.
        stamp: sizes and times of its files then, so that an untouched file is not hashed again; or that the files are
            elsewhere, and not yet here.
    """

    fingerprint: str
    parameters: dict[str, Any]
    inputs: dict[str, str]
    code: dict[str, str]
    content: str
    stamp: str

    @property
    def ingredients(self) -> Ingredients:
        """What decided the output."""
        return Ingredients(self.parameters, self.inputs, self.code)


def decisive(value: Any) -> Any:
    """Return the JSON-ready part of a parameter that results depend on.

    Args:
        value: a pydantic model, or plain values from YAML.

    Returns:
        Nested dicts, lists and scalars, without the fields marked
        :data:`~openfer.parameters.WITHOUT_EFFECT`; for a field marked :data:`~openfer.parameters.FILE`
        that names a file, the SHA-256 of its content.
    """
    if isinstance(value, BaseModel):
        marks = {name: field.json_schema_extra for name, field in type(value).model_fields.items()}
        kept = {name: getattr(value, name) for name, mark in marks.items() if mark != WITHOUT_EFFECT}
        for name, mark in marks.items():
            if mark == FILE and kept[name] is not None and Path(kept[name]).is_file():
                kept[name] = _hash_as_stamped(Path(kept[name]), _stamp(Path(kept[name])))
        return decisive(kept)
    if isinstance(value, Mapping):
        return {str(name): decisive(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [decisive(inner) for inner in value]
    return value


def record_path(output: Path) -> Path:
    """Return where the record of an output lies: a hidden JSON file beside it."""
    return output.with_name(f"{_BEGIN}{output.name}{_END}")


def output_of(record: PurePosixPath) -> PurePosixPath | None:
    """Return the output that a file is the record of; None for a file that is no record."""
    name = record.name
    return record.with_name(name[len(_BEGIN) : -len(_END)]) if name.startswith(_BEGIN) and name.endswith(_END) else None


def read_record(output: Path) -> Record | None:
    """Return the record of an output, or None where there is none."""
    record = _read(output)
    return record if record is not None and (record.stamp == _ELSEWHERE or output.exists()) else None


def is_there(output: Path) -> bool:
    """Return whether an output has files here, or a record that says they are elsewhere."""
    return output.exists() or is_elsewhere(output)


def is_elsewhere(output: Path) -> bool:
    """Return whether an output has a record here, and its files are elsewhere."""
    record = _read(output)
    return record is not None and record.stamp == _ELSEWHERE


def settle(output: Path, *, may_be_elsewhere: bool) -> bool:
    """Adapt a record that was written on another machine to the files here.

    Args:
        output: that the record is of.
        may_be_elsewhere: whether files that are missing here, or differ, are taken to be elsewhere; if not, the record
            is removed, as it proves nothing.

    Returns:
        Whether a record is there now.
    """
    record = _read(output)
    if record is not None and output.exists() and sha256_of(output) == record.content:
        _write(output, replace(record, stamp=_stamp(output)))
        return True
    if record is None or not may_be_elsewhere:
        forget(output)
        return False
    _write(output, replace(record, stamp=_ELSEWHERE))
    return True


def arrived(output: Path) -> None:
    """Take note that the files which a record is of are here now."""
    record = _read(output)
    assert record is not None
    _write(output, replace(record, stamp=_stamp(output)))


def write_record(output: Path, made_by: Ingredients) -> None:
    """Write the record of an output that has just been made."""
    _write(output, Record(made_by.fingerprint, **asdict(made_by), content=sha256_of(output), stamp=_stamp(output)))


def forget(output: Path) -> None:
    """Remove the record before an output is made again, so that a half-written file is never trusted."""
    record_path(output).unlink(missing_ok=True)


def content_hash(output: Path) -> str:
    """Return the SHA-256 of a file or folder, and check it against its record if it has one.

    Raises:
        DataError: if the file was changed after openfer had made it.
    """
    record = read_record(output)
    if record is not None and record.stamp == _ELSEWHERE:
        return record.content
    stamp = _stamp(output)
    if record is not None and record.stamp == stamp:
        return record.content
    found = _hash_as_stamped(output, stamp)
    if record is not None and found != record.content:
        raise DataError(
            f"{output} has changed since openfer made it (SHA-256 {found[:12]}..., made as {record.content[:12]}...): "
            "restore it with `dvc checkout`, or delete it and run the same command again to make it"
        )
    return found


def content_of(root: Path, paths: Iterable[Path]) -> str:
    """Return a hash of the files that are there, by their names below a folder and their content.

    Raises:
        DataError: if a file was changed after openfer had made it.
    """
    whole = hashlib.sha256()
    for path in paths:
        if path.is_file():
            whole.update(f"{path.relative_to(root)}\0{content_hash(path)}\n".encode())
    return whole.hexdigest()


def listing_stamp(folder: Path) -> str:
    """Return what tells a folder's state from another one: the names, sizes and times of its files.

    A missing folder has its own stamp. No file is opened, so a large raw folder costs seconds.
    """
    return _stamp(folder) if folder.is_dir() else "missing"


def _read(output: Path) -> Record | None:
    try:
        return Record(**json.loads(record_path(output).read_text()))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None  # an unreadable record proves nothing: the work is done again


def _write(output: Path, record: Record) -> None:
    write_bytes(record_path(output), json.dumps(asdict(record), indent=1, sort_keys=True).encode())


@functools.cache
def _hash_as_stamped(output: Path, _stamp: str) -> str:
    """Hash a file once per process, however many nodes read it; a new stamp is a new question."""
    return sha256_of(output)


def _stamp(output: Path) -> str:
    whole = hashlib.sha256()
    for name, found in _files(output) if output.is_dir() else [(output.name, output.stat())]:
        whole.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return whole.hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield relative names and facts of all files in a fixed order, one folder's names in memory at a time."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            if path.is_file():
                yield os.path.relpath(path, folder), path.stat()
