"""What a copy holds, and which content each row's file has."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from openfer.datasets import inventory
from openfer.datasets.inventory import by_suffix, take_inventory, unused_files, with_contents
from openfer.datasets.tree import Tree

FILES = {"a/1.jpg": b"one", "a/2.jpg": b"two", "b/1.jpg": b"one", "c.csv": b"list"}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return Tree(tmp_path)


def in_parts(table: pd.DataFrame, size: int) -> list[pd.DataFrame]:
    return [table.iloc[start : start + size] for start in range(0, len(table), size)]


@pytest.mark.parametrize("at_once", [1, 3, 4096])
def test_every_file_is_listed_with_its_size_and_hash(tree: Tree, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_AT_ONCE", at_once)
    found = pd.concat(list(take_inventory(tree)))
    assert found["path"].tolist() == list(FILES)
    assert found["bytes"].tolist() == [len(content) for content in FILES.values()]
    assert found["sha256"].tolist() == [hashlib.sha256(content).hexdigest() for content in FILES.values()]


@pytest.mark.parametrize("rows_at_once", [1, 2, 8])
@pytest.mark.parametrize("files_at_once", [1, 3, 8])
def test_rows_have_the_number_of_their_files_content(tree: Tree, rows_at_once: int, files_at_once: int) -> None:
    paths = ["a/0.jpg", "a/1.jpg", "a/2.jpg", "a/2.jpg", "a/2.jpg", "b/1.jpg", "d/9.jpg"]
    rows = pd.DataFrame({"path": paths, "frame": range(7)})
    parts = in_parts(pd.concat(list(take_inventory(tree))), files_at_once)
    found = pd.concat(list(with_contents(in_parts(rows, rows_at_once), parts)))
    numbers = {path: int(hashlib.sha256(content).hexdigest()[:15], 16) for path, content in FILES.items()}
    assert found["content"].tolist() == [numbers.get(path, -1) for path in paths]
    assert found["frame"].tolist() == list(range(7))


def test_a_file_that_cannot_be_read_is_there() -> None:
    unreadable = pd.DataFrame({"path": ["a.jpg"], "sha256": pd.Series([None], dtype=str)})
    (found,) = with_contents([pd.DataFrame({"path": ["a.jpg"]})], [unreadable])
    assert found["content"].tolist() == [0]


@pytest.mark.parametrize("at_once", [1, 2, 8])
def test_files_that_no_row_is_of_are_counted_and_named(at_once: int) -> None:
    rows = pd.DataFrame({"path": ["a/0.jpg", "a/1.jpg", "a/1.jpg", "b/1.jpg"]})
    files = pd.DataFrame({"path": ["a/1.jpg", "a/2.jpg", "b/1.jpg", "c.CSV", "d.csv", "read_me"]})
    unused = list(unused_files(in_parts(rows, at_once), in_parts(files, at_once)))
    assert unused == ["a/2.jpg", "c.CSV", "d.csv", "read_me"]
    assert by_suffix(unused) == "4: .csv (2), .jpg (1), no suffix (1); such as a/2.jpg, c.CSV, d.csv"
    assert by_suffix([]) == ""
