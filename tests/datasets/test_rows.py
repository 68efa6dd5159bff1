from pathlib import Path

import pandas as pd
import pytest

from openfer.datasets import rows
from openfer.datasets.rows import row_batches
from openfer.datasets.tree import Tree
from openfer.errors import DataError

FOUND = {
    "path": ["v.mp4", "b.jpg", "v.mp4", "a.jpg", "v.mp4"],
    "frame": [2, None, None, None, 1],
    "expression": ["fear", "anger", None, "fear", "anger"],
}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    for name in ("a.jpg", "b.jpg", "v.mp4"):
        (tmp_path / name).touch()
    return Tree(tmp_path)


def test_parts_of_any_length_are_the_same_rows_by_path_and_frame(tree: Tree, monkeypatch) -> None:
    found = pd.DataFrame(FOUND, dtype=object)
    whole = pd.concat(list(row_batches(tree, "mine", "free", found)), ignore_index=True)
    assert whole["path"].tolist() == ["a.jpg", "b.jpg", "v.mp4", "v.mp4", "v.mp4"]
    assert whole["frame"].tolist() == [pd.NA, pd.NA, 1, 2, pd.NA]
    assert set(whole["dataset"]) == {"mine"}
    monkeypatch.setattr(rows, "_ROWS_AT_ONCE", 2)
    parts = list(row_batches(tree, "mine", "free", found.iloc[::-1]))
    assert [len(part) for part in parts] == [2, 2, 1]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


def test_the_message_counts_the_wrong_rows_of_all_parts(tree: Tree, monkeypatch) -> None:
    monkeypatch.setattr(rows, "_ROWS_AT_ONCE", 2)
    wrong = pd.DataFrame({**FOUND, "valence": [7.0, 0.0, 0.0, 7.0, 7.0]})
    with pytest.raises(DataError, match=r"holds 7\.0 in valence, of a\.jpg \(3 of 5 rows do not fit\)"):
        list(row_batches(tree, "mine", "free", wrong))


def test_a_face_that_is_listed_twice_in_different_parts_is_refused(tree: Tree, monkeypatch) -> None:
    monkeypatch.setattr(rows, "_ROWS_AT_ONCE", 2)
    twice = pd.DataFrame(FOUND, dtype=object)
    twice = pd.concat([twice, twice.iloc[[1]]], ignore_index=True)
    with pytest.raises(DataError, match=r"lists 2 rows of 1 images more than once, such as b\.jpg"):
        list(row_batches(tree, "mine", "free", twice))
