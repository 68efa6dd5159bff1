"""A raw folder: what is outside does not exist, and what is missing has a name."""

import os
from pathlib import Path

import pytest

from openfer.datasets.tree import Tree
from openfer.errors import DataError
from tests.datasets.trees import write_text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_text(tmp_path / "root/labels/list.csv", "file,label", "a.jpg,1", "b.jpg,")
    return tmp_path / "root"


def test_files_are_listed_sorted_and_hidden_ones_left_out(root: Path) -> None:
    write_text(root / "a.txt", "x")
    write_text(root / ".DS_Store", "x")
    assert Tree(root).files == ("a.txt", "labels/list.csv")


def test_a_table_is_text_with_nulls(root: Path) -> None:
    table = Tree(root).table("labels/list.csv", "labels", ["file", "label"])
    assert table["label"].tolist()[0] == "1"
    assert table["label"].isna().tolist() == [False, True]


def test_a_wrong_column_is_named_with_those_that_are_there(root: Path) -> None:
    with pytest.raises(DataError, match=r"lacks the columns \['emotion'\], it has \['file', 'label'\]"):
        Tree(root).table("labels/list.csv", "labels", ["emotion"])


def test_a_missing_file_is_named_with_what_is_there_instead(root: Path) -> None:
    with pytest.raises(DataError, match=r"lacks list\.csv .*there is labels/list\.csv: set root"):
        Tree(root).path("list.csv")
    with pytest.raises(DataError, match="the root holds labels"):
        Tree(root).path("nowhere.txt")


def test_a_missing_file_beside_an_archive_says_unpack(root: Path) -> None:
    write_text(root / "images.zip", "PK")
    with pytest.raises(DataError, match=r"there is an archive, images\.zip: unpack it"):
        Tree(root).path("images/a.jpg")


def test_an_archive_in_the_place_of_the_root_is_refused(tmp_path: Path) -> None:
    archive = write_text(tmp_path / "basic.zip", "PK")
    with pytest.raises(DataError, match="is an archive, a dataset is read from a folder"):
        Tree(archive)


def test_a_missing_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist; set the dataset's root"):
        Tree(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "a/../../secret.jpg", "/etc/passwd", "C:/secret.jpg", "..\\secret.jpg"]
)
def test_a_path_outside_the_root_is_refused(root: Path, name: str) -> None:
    with pytest.raises(DataError, match="outside"):
        Tree(root).check_name(name, "labels/list.csv")


def test_a_link_that_leaves_the_root_is_refused(root: Path, tmp_path: Path) -> None:
    secret = write_text(tmp_path / "secret.txt", "x")
    (root / "link.txt").symlink_to(secret)
    with pytest.raises(DataError, match=r"link\.txt is a symbolic link to .*secret\.txt, which is outside"):
        _ = Tree(root).files


def test_a_link_inside_the_root_is_followed_and_a_circle_ends(root: Path) -> None:
    (root / "again").symlink_to(root / "labels")
    (root / "labels" / "circle").symlink_to(root)
    assert {"again/list.csv", "labels/list.csv"} <= set(Tree(root).files)
    assert len(Tree(root).files) < 10


def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(root)
    assert Tree(tmp_path / "linked").files == ("labels/list.csv",)


def test_a_file_that_is_no_text_is_named(root: Path) -> None:
    (root / "list.txt").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(DataError, match="is not text"):
        Tree(root).lines("list.txt", "labels")
    assert os.sep not in Tree(root).find("list.txt")[0]
