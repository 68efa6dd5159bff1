"""The face store: encoded crops with random access by row and constant memory, plus a table.

A store is a folder of shards ``faces-00000.arrow``, ``faces-00001.arrow`` ... (:mod:`openfer.io.face_shard`)
and ``index.json``, which lists them and is written last: a folder without it was never finished.
"""

import json
import os
import shutil
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from openfer.errors import DataError
from openfer.io.atomic import atomic_path, write_bytes
from openfer.io.face import EncodedFace, Face, decode, encode
from openfer.io.face_shard import REMEDY, SCHEMA, FaceShard, ShardWriter, mapped, read_columns, write_shard

__all__ = ["EncodedFace", "Face", "FaceStore", "FaceStoreWriter", "assemble_store", "encode", "write_shard"]

_INDEX = "index.json"
_ROWS_PER_SHARD = 1000
_SHARDS_AT_ONCE = 64
"""Shards whose columns are joined while they are read: thousands of small blocks leave gaps in memory when they go."""


class FaceStoreWriter:
    """Writes a face store into a folder, shard after shard; a context manager.

    The folder is a store only after the block has ended without an error. To write with several
    processes, let each call :func:`write_shard` and join the files with :func:`assemble_store`.

    Args:
        folder: made if needed; faces that lie in it are replaced.
        rows_per_shard: faces in a file.
    """

    def __init__(self, folder: Path, rows_per_shard: int = _ROWS_PER_SHARD) -> None:
        self._folder = folder
        self._rows_per_shard = rows_per_shard
        self._rows: list[int] = []
        self._open = ExitStack()
        self._shard: ShardWriter | None = None

    def __enter__(self) -> Self:
        """Make the folder and clear it of an earlier store."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / _INDEX).unlink(missing_ok=True)
        for shard in self._folder.glob("faces-*.arrow"):
            shard.unlink()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the last shard; without an error, write the index."""
        self._open.__exit__(kind, error, trace)
        if kind is None:
            _write_index(self._folder, self._rows)

    def add(self, face: Face | EncodedFace) -> None:
        """Append one face.

        Raises:
            DataError: if its image or its points have a wrong shape.
            StorageError: if the disk is full.
        """
        if self._shard is None or self._shard.rows == self._rows_per_shard:
            self._open.close()
            self._shard = self._open.enter_context(ShardWriter(self._folder / _shard_name(len(self._rows))))
            self._rows.append(0)
        self._shard.add(face)
        self._rows[-1] += 1


def assemble_store(folder: Path, shards: Sequence[Path]) -> Path:
    """Make a store of finished shards, atomically; no image is copied where hard links work.

    Args:
        folder: the store; an earlier one is replaced.
        shards: files of :func:`write_shard`, in the store's order.

    Returns:
        The folder.

    Raises:
        DataError: if a shard is missing or damaged; the message names it.
        StorageError: if the disk is full.
    """
    with atomic_path(folder) as temporary:
        temporary.mkdir(parents=True)
        rows = []
        for number, shard in enumerate(shards):
            rows.append(len(FaceShard(shard)))
            _link(shard, temporary / _shard_name(number))
        _write_index(temporary, rows)
    return folder


class FaceStore:
    """Reads a face store; pixels stay on disk behind memory maps.

    Opening reads the index alone; a shard is mapped when it is first asked for.

    Args:
        folder: where :class:`FaceStoreWriter` or :func:`assemble_store` wrote.

    Raises:
        DataError: if the store was never finished, or a shard is missing or truncated; a shard that is
            damaged inside is found when it is first read. The message names the file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = _read_index(folder)
        self._shards = [_find(folder / _shard_name(number), size) for number, (_, size) in enumerate(listed)]
        self._ends = list(accumulate(rows for rows, _ in listed))

    def __reduce__(self) -> tuple[type["FaceStore"], tuple[Path]]:
        """Travel to another process as a folder, not as pixels."""
        return FaceStore, (self.folder,)

    def __len__(self) -> int:
        """Return the number of faces."""
        return self._ends[-1] if self._ends else 0

    @cached_property
    def sample_ids(self) -> np.ndarray:
        """The faces' names, (N,), strings of variable width: a long one costs no room in the others."""
        names = (read_columns(path, ["sample_id"])["sample_id"].to_pylist() for path in self.shards)
        return np.concatenate([np.array(part, dtype=np.dtypes.StringDType()) for part in ([], *names)])

    @property
    def shards(self) -> list[Path]:
        """The shards' files in order; :func:`assemble_store` joins stores of them."""
        return [Path(path) for path, _ in self._shards]

    def table(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the table of points, scores and hashes, one row per face; all columns if none are named."""
        names = list(columns or SCHEMA.names[:-1])
        return pd.DataFrame({name: self._column(name) for name in names}, copy=False)

    def _column(self, name: str) -> pd.Series:
        parts = [SCHEMA.empty_table().select([name])]
        for start in range(0, len(self._shards), _SHARDS_AT_ONCE):
            some = self._shards[start : start + _SHARDS_AT_ONCE]
            parts.append(pa.concat_tables(read_columns(Path(path), [name]) for path, _ in some).combine_chunks())
        return pa.concat_tables(parts).to_pandas()[name]

    def contents(self) -> np.ndarray:
        """Return a number for each face, equal for equal image files: the first 60 bits of SHA-256, int64, (N,)."""
        hashes = (read_columns(path, ["sha256"])["sha256"].to_pylist() for path in self.shards)
        numbers = (np.array([int(digits[:15], 16) for digits in part], np.int64) for part in hashes)
        return np.concatenate([np.zeros(0, np.int64), *numbers])

    def encoded(self, row: int) -> bytes:
        """Return the image file of a row as it was stored."""
        number = bisect_right(self._ends, row)
        if row < 0 or number == len(self._ends):
            raise IndexError(f"row {row} of face store {self.folder}, which has {len(self)}")
        start = self._ends[number - 1] if number else 0
        return mapped(*self._shards[number]).encoded(row - start)

    def image(self, row: int) -> np.ndarray:
        """Decode one face: RGB, uint8, shape (H, W, 3).

        Raises:
            DataError: if the stored image is empty or damaged; the message names the sample.
        """
        content = self.encoded(row)
        try:
            return decode(content)
        except DataError as error:
            raise DataError(
                f"face {self.sample_ids[row]} in {self.folder} cannot be decoded ({error}); "
                "replace the source image, or take its row out of the split, and run again"
            ) from error

    def rows_of(self, sample_ids: Iterable[str]) -> np.ndarray:
        """Return the row numbers of samples, in the order given, int64.

        Raises:
            DataError: if a sample is not in the store; the message names the first ones.
        """
        wanted = [str(name) for name in sample_ids]
        known = pa.array(self.sample_ids.tolist(), pa.string())
        rows = pc.index_in(pa.array(wanted, pa.string()), value_set=known).fill_null(-1).to_numpy()
        if (rows < 0).any():
            missing = [name for name, row in zip(wanted, rows, strict=True) if row < 0]
            raise DataError(
                f"{len(missing)} samples of the split have no face in {self.folder}, the first {missing[:3]}; "
                "the split and the faces come from different data: run the dataset's pipeline again"
            )
        return rows.astype(np.int64)


def _shard_name(number: int) -> str:
    return f"faces-{number:05d}.arrow"


def _write_index(folder: Path, rows: Sequence[int]) -> None:
    shards = [
        {"file": name, "rows": count, "bytes": (folder / name).stat().st_size}
        for name, count in ((_shard_name(number), count) for number, count in enumerate(rows))
    ]
    write_bytes(folder / _INDEX, json.dumps({"shards": shards}, indent=1).encode())


def _read_index(folder: Path) -> list[tuple[int, int]]:
    """Return each shard's number of faces and size in bytes."""
    path = folder / _INDEX
    if not path.is_file():
        raise DataError(f"face store {folder} lacks {_INDEX}: it was never finished, or its files are gone; {REMEDY}")
    try:
        return [(int(shard["rows"]), int(shard["bytes"])) for shard in json.loads(path.read_bytes())["shards"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no index of a face store ({error!r}); {REMEDY}") from error


def _find(path: Path, size: int) -> tuple[str, str]:
    """Return a shard's path, and what tells this file from a later one of its name."""
    if not path.is_file():
        raise DataError(f"face store {path.parent} lacks {path.name}; {REMEDY}")
    found = path.stat()
    if found.st_size != size:
        raise DataError(f"{path} has {found.st_size} bytes, the index says {size}: it is truncated; {REMEDY}")
    return str(path), f"{found.st_ino} {found.st_mtime_ns} {found.st_size}"


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, target)
