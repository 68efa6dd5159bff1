"""One file of a face store: image files and their table, side by side in Arrow's IPC format.

Why Arrow and not LMDB, tar archives or a file per image: a row is found by two integers in a memory
map, so reading costs one copy of its bytes. Measured by ``benchmarks/face_store.py``, that is as fast as
LMDB, twice an indexed tar and 2.7 to 11 times a file per image. Unlike them, the table lies in the
same file, readable by any Arrow library; several workers write, each its own shard; the same faces give
the same bytes; and it needs no further dependency. Decoded too (:func:`openfer.io.face.decode`), JPEG faces of
48, 112 and 256 pixels come 3.8, 2.3 and 1.9 times as fast as from a file each with Pillow, PNG ones
1.3, 1.1 and 1.0 times: inflating them is all that counts.
"""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from openfer.errors import DataError
from openfer.io.atomic import atomic_path
from openfer.io.face import EncodedFace, Face, encode

SCHEMA = pa.schema(
    {
        "sample_id": pa.string(),
        "height": pa.int32(),
        "width": pa.int32(),
        "points5": pa.list_(pa.float32(), 10),
        "points68": pa.list_(pa.float32(), 136),
        "confidence68": pa.list_(pa.float32(), 68),
        "detection_score": pa.float32(),
        "transform": pa.list_(pa.float32(), 6),
        "sha256": pa.string(),
        "perceptual_hash": pa.string(),
        "image": pa.large_binary(),
    }
)
"""The image comes last: everything before it is the table."""

REMEDY = "restore it with `dvc checkout`, or delete the folder and run its pipeline again"

_ROWS_AT_ONCE = 100
"""Rows that a writer holds in memory: 10 MB of PNG files of 224 pixels."""

_MAPS = 4096
"""Shards that a process keeps mapped, over all stores; a system allows some 65,000 maps."""


class ShardWriter:
    """Writes one shard; a context manager. The file appears, whole, when the block ends without an error.

    Args:
        path: the file; its parent folders are made.

    Raises:
        StorageError: if the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._path = path
        self._waiting: list[dict[str, Any]] = []
        self._open = ExitStack()
        self._writer: pa.RecordBatchFileWriter | None = None

    def __enter__(self) -> Self:
        """Open a temporary file beside the path."""
        temporary = self._open.enter_context(atomic_path(self._path))
        stream = self._open.enter_context(temporary.open("wb"))
        self._writer = self._open.enter_context(pa.ipc.new_file(stream, SCHEMA))
        self._open.push(lambda kind, *_: None if kind else self._write())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file and give it its name; after an error, remove it."""
        self._open.__exit__(kind, error, trace)

    def add(self, face: Face | EncodedFace) -> None:
        """Append one face.

        Raises:
            DataError: if its image or its points have a wrong shape.
        """
        encoded = encode(face) if isinstance(face, Face) else face
        digest = hashlib.sha256(encoded.content).hexdigest()
        self._waiting.append({**encoded.record, "image": encoded.content, "sha256": digest})
        self.rows += 1
        if len(self._waiting) == _ROWS_AT_ONCE:
            self._write()

    def _write(self) -> None:
        if self._writer is None:
            raise RuntimeError("a writer of faces is used outside its `with` block")
        if self._waiting:
            self._writer.write_batch(_batch(self._waiting, self._path))
            self._waiting.clear()


def write_shard(path: Path, faces: Iterable[Face | EncodedFace]) -> int:
    """Write one shard atomically: a shard that exists is done.

    Args:
        path: the file.
        faces: in order; consumed one after the other, so a generator needs no memory for all.

    Returns:
        The number of faces.

    Raises:
        DataError: if a face's image or points have a wrong shape.
        StorageError: if the disk is full.
    """
    with ShardWriter(path) as writer:
        for face in faces:
            writer.add(face)
    return writer.rows


class FaceShard:
    """A shard behind a memory map, without an open file.

    Args:
        path: the file.

    Raises:
        DataError: if it is missing, truncated, or not a shard of faces.
    """

    def __init__(self, path: Path) -> None:
        try:
            with pa.memory_map(str(path)) as file:
                whole = file.read_buffer()
            reader = pa.ipc.open_file(whole)
            if reader.schema != SCHEMA:
                raise DataError(f"{path} has columns other than {', '.join(SCHEMA.names)}: {REMEDY}")
            batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
            for batch in batches:
                batch.validate(full=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _not_whole(path, error) from error
        self._bytes = memoryview(whole)
        edges = [_edges(batch.column("image"), whole.address) for batch in batches]
        self._starts = np.concatenate([np.zeros(0, np.int64), *(each[:-1] for each in edges)])
        self._ends = np.concatenate([np.zeros(0, np.int64), *(each[1:] for each in edges)])
        if (self._starts > self._ends).any() or not 0 <= self._ends.max(initial=0) <= len(self._bytes):
            raise DataError(f"{path} has images that lie outside of the file: it is damaged; {REMEDY}")

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self._starts)

    def encoded(self, row: int) -> bytes:
        """Return the image file of a row of this shard."""
        return self._bytes[self._starts[row] : self._ends[row]].tobytes()


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Return columns of a shard as a copy; no map of the file stays, whose pages would count as memory.

    Raises:
        DataError: if the file is missing, truncated or no shard of faces, or if the columns are damaged, as by a
            flipped bit that leaves no readable text.
    """
    try:
        with pa.memory_map(str(path)) as file:
            reader = pa.ipc.open_file(file)
            if reader.schema != SCHEMA:
                raise DataError(f"{path} has columns other than {', '.join(SCHEMA.names)}: {REMEDY}")
            chosen = reader.read_all().select(list(columns))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _not_whole(path, error) from error
    try:
        chosen.validate(full=True)
    except pa.ArrowInvalid as error:
        raise DataError(f"the table in {path} is damaged ({error}); {REMEDY}") from error
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, chosen.schema) as stream:
        stream.write_table(chosen.combine_chunks())
    return pa.ipc.open_stream(sink.getvalue()).read_all()


@lru_cache(maxsize=_MAPS)
def mapped(path: str, stamp: str) -> FaceShard:
    """Return a shard from the process's bounded set of mapped ones.

    Args:
        path: the file; as text, which is found faster.
        stamp: what tells the file from another one of that name.

    Raises:
        DataError: if it is missing, truncated, or not a shard of faces.
    """
    return FaceShard(Path(path))


def forget_maps() -> None:
    """Unmap all shards that nobody reads any more: the pages read of them count as memory of the process."""
    mapped.cache_clear()


def _not_whole(path: Path, error: Exception) -> DataError:
    size = f"{path.stat().st_size} bytes" if path.is_file() else "missing"
    return DataError(f"{path} ({size}) is no whole Arrow file of faces ({' '.join(str(error).split())}); {REMEDY}")


def _batch(records: list[dict[str, Any]], path: Path) -> pa.RecordBatch:
    try:
        columns = [
            pa.array([record.get(field.name) for record in records], field.type, from_pandas=True) for field in SCHEMA
        ]
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(
            f"a face from {records[0]['sample_id']} to {records[-1]['sample_id']} does not fit the columns of {path}: "
            f"{error}; give text, numbers and points as openfer.io.face.Face names them"
        ) from error
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _edges(images: pa.LargeBinaryArray, origin: int) -> np.ndarray:
    """Return where a batch's N images begin and the last one ends, in bytes from ``origin``, (N + 1,)."""
    _, offsets, content = images.buffers()
    return np.frombuffer(offsets, np.int64, len(images) + 1) + (content.address - origin)
