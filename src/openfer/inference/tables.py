"""Files that rows are written to, one row after the other: CSV, Parquet or JSON lines."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from openfer.errors import ParameterError
from openfer.inference.rows import Row
from openfer.io.atomic import atomic_path

Write = Callable[[Row], None]

_ROWS_AT_ONCE = 4096
"""Rows of a Parquet file that are in memory together."""


def check_ending(path: Path) -> None:
    """Raise an error for a file of another kind, or of one that needs a package which is not installed.

    Raises:
        ParameterError: naming the kinds, or the package.
    """
    if path.suffix.lower() not in _KINDS:
        raise ParameterError(f"the output {path} is of an unknown kind; give a name that ends in {', '.join(_KINDS)}")
    if path.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise ParameterError(
            f"the output {path} needs the package pyarrow, which is not installed; run `pip install pyarrow`, or use "
            ".csv"
        )


@contextmanager
def written(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    """Give a function that adds a row to a file; the file appears when the block succeeds.

    Args:
        path: its ending tells the kind.
        columns: by name; a row may lack some, which become null.

    Raises:
        StorageError: if the disk is full.
    """
    with atomic_path(path) as temporary, _KINDS[path.suffix.lower()](temporary, columns) as write:
        yield write


@contextmanager
def _csv(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(columns), lineterminator="\n")
        writer.writeheader()
        yield writer.writerow


@contextmanager
def _json_lines(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8") as stream:
        yield lambda row: print(json.dumps({name: row.get(name) for name in columns}), file=stream)


@contextmanager
def _parquet(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
    waiting: list[Row] = []
    with parquet.ParquetWriter(path, schema) as writer:

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(waiting, schema))
            waiting.clear()

        def write(row: Row) -> None:
            waiting.append(row)
            if len(waiting) >= _ROWS_AT_ONCE:
                flush()

        yield write
        flush()


_KINDS: dict[str, Callable[[Path, Mapping[str, type]], Any]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".jsonl": _json_lines,
}
