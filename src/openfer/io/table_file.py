"""Tables in a parquet file, written some rows at a time and read by column or in parts: for sets of millions."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset

from openfer.io.atomic import atomic_path
from openfer.schemas import FILES

_ALL_DIFFERENT = ("sample_id", "path", "sha256")


class TableFile:
    """A table on disk; what a node does not ask for is never in memory.

    Words that many rows share, such as labels, are loaded as categories: a byte or a few each.

    Args:
        path: a file of :class:`TableFileDataset`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(pq.read_metadata(self._path).num_rows)

    def table(self, columns: Sequence[str]) -> pd.DataFrame:
        """Return columns of all rows, read one after the other: only what is kept is ever in memory."""
        with self._open(columns) as file:
            groups = range(file.num_row_groups)
            return pd.DataFrame({name: _columns(file, [name], groups)[name] for name in columns}, copy=False)

    def batches(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Yield columns of the table in parts, in the order of its rows."""
        with self._open(columns) as file:
            for number in range(file.num_row_groups):
                yield _columns(file, columns, [number])

    def _open(self, columns: Sequence[str]) -> pq.ParquetFile:
        file = pq.ParquetFile(self._path)
        words = [name for name in columns if _is_word(file.schema_arrow.field(name))]
        file.close()
        return pq.ParquetFile(self._path, read_dictionary=words)


class TableFileDataset(AbstractDataset[Iterable[pd.DataFrame], TableFile]):
    """A :class:`TableFile`, saved from any number of tables; it appears whole.

    Args:
        filepath: the file.
        schema: which of :data:`openfer.schemas.FILES` its columns are.
        metadata: for Kedro-Viz.
    """

    def __init__(
        self, *, filepath: str, schema: Literal["rows", "inventory", "sources"], metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath = Path(filepath)
        self._schema = FILES[schema]
        self.metadata = metadata

    def load(self) -> TableFile:
        """Return the file; what a node asks for is read then."""
        return TableFile(self._filepath)

    def save(self, data: Iterable[pd.DataFrame]) -> None:
        """Write tables one after the other."""
        with atomic_path(self._filepath) as temporary:
            schema = pa.Table.from_pandas(pd.DataFrame(columns=self._schema.names), self._schema).schema
            words = [field.name for field in schema if _is_word(field)]
            with pq.ParquetWriter(temporary, schema, use_dictionary=words) as writer:
                for table in data:
                    writer.write_table(pa.Table.from_pandas(table, self._schema, preserve_index=False))

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "columns": self._schema.names}


def _columns(file: pq.ParquetFile, names: Sequence[str], groups: Iterable[int]) -> pd.DataFrame:
    parts = [file.read_row_group(number, names, use_threads=False) for number in groups]
    table = pa.concat_tables([file.schema_arrow.empty_table().select(names), *parts]).to_pandas()
    return table.astype({"frame": "Int64"}) if "frame" in names else table


def _is_word(field: pa.Field) -> bool:
    return field.name not in _ALL_DIFFERENT and pa.types.is_string(field.type)
