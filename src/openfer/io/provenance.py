"""What made a file: a small record beside it, and whether the file is still that one."""

import functools
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from openfer.errors import DataError
from openfer.io.atomic import sha256_of, write_bytes
from openfer.parameters import FILE, ONLY_PREDICTION, WITHOUT_EFFECT


@dataclass(frozen=True)
class Record:
    """How an output came about.

    Attributes:
        fingerprint: hash of the three ingredients below; equal fingerprints mean equal work.
        parameters: the decisive parameters by name.
        inputs: content hashes of the inputs by dataset name.
        code: hash of the source that the node runs.
        content: SHA-256 of the output when it was written.
        stamp: sizes and times of its files then, so that an untouched file is not hashed again.
    """

    fingerprint: str
    parameters: dict[str, Any]
    inputs: dict[str, str]
    code: str
    content: str
    stamp: str


def decisive(value: Any, *, of_training: bool = False) -> Any:
    """Return the JSON-ready part of a parameter that results depend on.

    Args:
        value: a pydantic model, or plain values from YAML.
        of_training: the result is a training's, which fields marked
            :data:`~openfer.parameters.ONLY_PREDICTION` do not change.

    Returns:
        Nested dicts, lists and scalars, without the fields marked
        :data:`~openfer.parameters.WITHOUT_EFFECT`; for a field marked :data:`~openfer.parameters.FILE`
        that names a file, the SHA-256 of its content.
    """
    if isinstance(value, BaseModel):
        marks = {name: field.json_schema_extra for name, field in type(value).model_fields.items()}
        without = [WITHOUT_EFFECT, *([ONLY_PREDICTION] if of_training else [])]
        kept = {name: getattr(value, name) for name, mark in marks.items() if mark not in without}
        for name, mark in marks.items():
            if mark == FILE and kept[name] is not None and Path(kept[name]).is_file():
                kept[name] = sha256_of(Path(kept[name]))
        return decisive(kept, of_training=of_training)
    if isinstance(value, Mapping):
        return {str(name): decisive(inner, of_training=of_training) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [decisive(inner, of_training=of_training) for inner in value]
    return value


def fingerprint_of(parameters: dict[str, Any], inputs: dict[str, str], code: str) -> str:
    """Return the hash of a piece of work's ingredients."""
    ingredients = json.dumps([parameters, inputs, code], sort_keys=True)
    return hashlib.sha256(ingredients.encode()).hexdigest()


def record_path(output: Path) -> Path:
    """Return where the record of an output lies: a hidden JSON file beside it."""
    return output.with_name(f".{output.name}.made.json")


def read_record(output: Path) -> Record | None:
    """Return the record of an output, or None where there is none."""
    path = record_path(output)
    if not path.is_file() or not output.exists():
        return None
    try:
        return Record(**json.loads(path.read_text()))
    except (json.JSONDecodeError, TypeError):
        return None  # an unreadable record proves nothing: the work is done again


def write_record(output: Path, parameters: dict[str, Any], inputs: dict[str, str], code: str) -> None:
    """Write the record of an output that has just been made."""
    fingerprint = fingerprint_of(parameters, inputs, code)
    record = Record(fingerprint, parameters, inputs, code, sha256_of(output), _stamp(output))
    write_bytes(record_path(output), json.dumps(asdict(record), indent=1, sort_keys=True).encode())


def forget(output: Path) -> None:
    """Remove the record before an output is made anew, so that a half-written file is never trusted."""
    record_path(output).unlink(missing_ok=True)


def content_hash(output: Path) -> str:
    """Return the SHA-256 of a file or folder, and check it against its record if it has one.

    Raises:
        DataError: if the file was changed after openfer had made it.
    """
    record, stamp = read_record(output), _stamp(output)
    if record is not None and record.stamp == stamp:
        return record.content
    found = _hash_as_stamped(output, stamp)
    if record is not None and found != record.content:
        raise DataError(
            f"{output} has changed since openfer made it (SHA-256 {found[:12]}..., made as {record.content[:12]}...): "
            "restore it with `dvc checkout`, or delete it and run the same command again to make it anew"
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

    A folder that is missing has a stamp of its own. No file is opened, so a large raw folder costs seconds.
    """
    return _stamp(folder) if folder.is_dir() else "missing"


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
