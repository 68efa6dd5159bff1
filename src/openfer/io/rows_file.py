"""Rows in a parquet file: written some at a time and read by column, for sets of millions."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset

from openfer.io.atomic import atomic_path
from openfer.schemas import ROWS_FILE

_ALL_DIFFERENT = ("sample_id", "path")


class RowsDataset(AbstractDataset[Iterable[pd.DataFrame], pd.DataFrame]):
    """A file of rows, of which a node is given the columns that it looks at.

    Words that many rows share, such as labels, are loaded as categories: a byte or a few each.

    Args:
        filepath: the file; as a table, :data:`openfer.schemas.ROWS` describes it.
        columns: those that are loaded.
        metadata: for Kedro-Viz.
    """

    def __init__(
        self, *, filepath: str, columns: Sequence[str] = ROWS_FILE.names, metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath = Path(filepath)
        self._columns = list(columns)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read the columns, one after the other: only what is kept is ever in memory."""
        words = [name for name in self._columns if _is_word(name)]
        with pq.ParquetFile(self._filepath, read_dictionary=words) as file:
            return pd.DataFrame({name: _column(file, name) for name in self._columns}, copy=False)

    def save(self, data: Iterable[pd.DataFrame]) -> None:
        """Write tables one after the other, each valid under :data:`openfer.schemas.ROWS`; the file appears whole."""
        with atomic_path(self._filepath) as temporary:
            schema = pa.Table.from_pandas(pd.DataFrame(columns=ROWS_FILE.names), ROWS_FILE).schema
            with pq.ParquetWriter(temporary, schema, use_dictionary=[*filter(_is_word, schema.names)]) as writer:
                for rows in data:
                    writer.write_table(pa.Table.from_pandas(rows, ROWS_FILE, preserve_index=False))

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "columns": self._columns}


def _column(file: pq.ParquetFile, name: str) -> pd.Series:
    parts = [file.read_row_group(number, [name], use_threads=False) for number in range(file.num_row_groups)]
    column = pa.concat_tables([file.schema_arrow.empty_table().select([name]), *parts]).to_pandas()[name]
    return column.astype("Int64") if name == "frame" else column


def _is_word(name: str) -> bool:
    return name not in _ALL_DIFFERENT and pa.types.is_string(ROWS_FILE.field(name).type)
