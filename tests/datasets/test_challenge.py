"""The public occlusion and pose lists, in all their forms."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from openfer.datasets.challenge import ChallengeLists, challenge_subsets
from openfer.datasets.readers.raf_db import RafDb
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from tests.datasets.trees import raf_db, write_text

KEYS = pd.Series(["test_0001", "test_0002", "test_0003", None], dtype=object)


def subsets(root: Path, *lines: str, keys: pd.Series = KEYS) -> list[list[str] | None]:
    write_text(root / "list.txt", *lines)
    return challenge_subsets(Tree(root), keys, ChallengeLists(pose30="list.txt")).tolist()


@pytest.mark.parametrize(
    "line",
    [
        "val/0/test_0002/",
        "0/test_0002.jpg",
        "3_test_0002.png 8 1",
        "test_0002_aligned 3 4",
        "6/test_0002_aligned.jpg",
        "test_0002.JPG",
    ],
)
def test_every_form_of_an_entry_names_its_image(tmp_path: Path, line: str) -> None:
    assert subsets(tmp_path, line) == [None, ["pose30"], None, None]


def test_a_repeated_entry_counts_once_and_a_row_may_be_on_several_lists(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "test_0001_aligned 6 2", "test_0001_aligned 6 2")
    write_text(tmp_path / "b.txt", "0/test_0001.jpg", "0/test_0003.jpg")
    lists = ChallengeLists(occlusion="a.txt", pose45=str(tmp_path / "b.txt"))
    found = challenge_subsets(Tree(tmp_path), KEYS, lists)
    assert found.tolist() == [["occlusion", "pose45"], None, ["pose45"], None]


def test_entries_without_an_image_are_counted_in_a_warning(tmp_path: Path, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        assert subsets(tmp_path, "test_0001", "test_9999", "test_9999", "test_8888")[0] == ["pose30"]
    assert "2 of the 3 entries" in caplog.text
    assert "test_9999" in caplog.text


def test_a_list_of_another_dataset_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of the 1 entries of .*list\.txt .* 'fer0032226'"):
        subsets(tmp_path, "0/fer0032226.jpg")
    with pytest.raises(DataError, match="none of the 0 entries"):
        subsets(tmp_path, "")


def test_a_list_that_is_missing_or_no_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.txt \(list occlusion\) does not exist"):
        challenge_subsets(Tree(tmp_path), KEYS, ChallengeLists(occlusion="nowhere.txt"))
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read as text"):
        challenge_subsets(Tree(tmp_path), KEYS, ChallengeLists(occlusion="list.txt"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        challenge_subsets(Tree(tmp_path), KEYS, ChallengeLists(occlusion="folder"))


def test_raf_db_has_the_lists_for_both_editions(tmp_path: Path) -> None:
    root = raf_db(tmp_path / "basic", {"train_00001": 5, "test_0001": 1, "test_0002": 6})
    write_text(root / "occlusion.txt", "test_0002_aligned 6 2", "test_0002_aligned 6 2")
    for images in ("original", "aligned"):
        options = {"images": images, "challenge": {"occlusion": "occlusion.txt"}}
        rows = RafDb(options).read(Tree(root), "raf_db")
        assert rows.loc[rows["subsets"].notna(), "path"].str.contains("test_0002").tolist() == [True]
