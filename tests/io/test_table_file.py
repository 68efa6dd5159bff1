from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from openfer.io.table_file import TableFileDataset
from openfer.schemas import ROWS, complete_rows


def some_rows(first: int, count: int, **columns) -> pd.DataFrame:
    numbers = range(first, first + count)
    named = {"sample_id": [f"s{n}" for n in numbers], "path": [f"{n}.jpg" for n in numbers]}
    return complete_rows(pd.DataFrame({**named, "dataset": "mine", "licence": "mine", **columns}))


def rows_file(folder: Path) -> TableFileDataset:
    return TableFileDataset(filepath=str(folder / "rows.parquet"), schema="rows")


@pytest.fixture
def batches() -> list[pd.DataFrame]:
    """Two tables, of which only the second has frames, labels, lists and points."""
    points = [np.arange(10.0), None, np.arange(4.0)]
    told = {"frame": [7, None, 0], "expression": ["anger", None, "fear"], "attributes": [["Smiling"], [], None]}
    return [some_rows(0, 2), some_rows(2, 3, **told, landmarks=points)]


def test_rows_written_in_parts_are_one_table_under_the_schema(tmp_path: Path, batches: list[pd.DataFrame]) -> None:
    rows_file(tmp_path).save(iter(batches))
    whole = ROWS.validate(pd.read_parquet(tmp_path / "rows.parquet"))
    expected = pd.concat(batches, ignore_index=True)
    lists = ["attributes", "landmarks"]
    pd.testing.assert_frame_equal(whole.drop(columns=lists), expected.drop(columns=lists))
    for name in lists:
        for found, value in zip(whole[name], expected[name], strict=True):
            assert found is None if value is None else np.array_equal(found, value)


def test_only_the_columns_asked_for_are_loaded_and_shared_words_are_categories(
    tmp_path: Path, batches: list[pd.DataFrame]
) -> None:
    rows_file(tmp_path).save(batches)
    loaded = rows_file(tmp_path).load().table(["expression", "sample_id", "frame"])
    assert list(loaded) == ["expression", "sample_id", "frame"]
    assert isinstance(loaded["expression"].dtype, pd.CategoricalDtype)
    assert loaded["expression"].astype(object).where(loaded["expression"].notna(), None).tolist() == [
        *(None, None),
        *("anger", None, "fear"),
    ]
    assert loaded["sample_id"].tolist() == ["s0", "s1", "s2", "s3", "s4"]
    assert loaded["frame"].dtype == "Int64"


def test_rows_are_read_in_the_parts_that_they_were_written_in(tmp_path: Path, batches: list[pd.DataFrame]) -> None:
    rows_file(tmp_path).save(batches)
    file = rows_file(tmp_path).load()
    assert len(file) == 5
    parts = list(file.batches(["sample_id", "frame"]))
    assert [part["sample_id"].tolist() for part in parts] == [["s0", "s1"], ["s2", "s3", "s4"]]
    assert [part["frame"].dtype for part in parts] == ["Int64", "Int64"]


def test_a_file_without_rows_has_its_columns(tmp_path: Path) -> None:
    rows_file(tmp_path).save([])
    assert rows_file(tmp_path).load().table(["path", "expression"]).shape == (0, 2)
    assert list(rows_file(tmp_path).load().batches(["path"])) == []


def test_an_error_between_two_parts_leaves_the_earlier_file(tmp_path: Path, batches: list[pd.DataFrame]) -> None:
    dataset = rows_file(tmp_path)
    dataset.save(batches)
    before = (tmp_path / "rows.parquet").read_bytes()

    def broken():
        yield batches[0]
        raise RuntimeError("the reader broke")

    with pytest.raises(Exception, match="the reader broke"):
        dataset.save(broken())
    assert (tmp_path / "rows.parquet").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["rows.parquet"]
