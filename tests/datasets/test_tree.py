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


def test_files_are_in_the_order_of_whole_paths_whatever_folders_are_called(tmp_path: Path) -> None:
    names = ["a-b/1.jpg", "a.jpg", "a/1.jpg", "a/b/1.jpg", "a/b.jpg", "a0/1.jpg", "aa.jpg", "A/1.jpg", "\u00e9/1.jpg"]
    for name in names:
        write_text(tmp_path / name, "x")
    assert list(Tree(tmp_path).walk()) == list(Tree(tmp_path).files) == sorted(names)


def test_a_table_is_text_with_nulls(root: Path) -> None:
    table = Tree(root).table("labels/list.csv", "labels", ["file", "label"])
    assert table["label"].tolist()[0] == "1"
    assert table["label"].isna().tolist() == [False, True]


def test_words_that_look_like_nothing_stay_words(root: Path) -> None:
    words = ["NA", "None", "null", "nan", "N/A"]
    write_text(root / "list.csv", "file,label", *(f"{word}.jpg,{word}" for word in words), "a.jpg,")
    table = Tree(root).table("list.csv", "labels")
    assert table["label"].tolist()[:-1] == words
    assert table["label"].isna().sum() == 1


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolons"), ("\t", "tabulators")])
@pytest.mark.parametrize("lines", [("path,label", "a.jpg,1"), ("path,label", "a.jpg,1", "b.jpg,1 , 2")])
def test_a_table_without_commas_says_save_with_commas(root: Path, sign: str, name: str, lines: list[str]) -> None:
    write_text(root / "list.csv", *(line.replace(",", sign).replace(" ", ",") for line in lines))
    with pytest.raises(DataError, match=rf"list\.csv .*separated by {name}: save it with commas"):
        Tree(root).table("list.csv", "labels", ["path", "label"])


def test_a_table_in_another_encoding_says_save_as_utf_8(root: Path) -> None:
    (root / "list.csv").write_bytes("path,label\nMüller.jpg,1\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"list\.csv .*is not UTF-8 .*save it as UTF-8"):
        Tree(root).table("list.csv", "labels", ["path", "label"])


def test_the_nearest_file_of_a_name_is_found(root: Path) -> None:
    write_text(root / "a/deep/list.csv", "x")
    write_text(root / "a/deep/my_list.csv", "x")
    tree = Tree(root)
    assert tree.nearest("list.csv") == "labels/list.csv"
    assert tree.nearest("deep/list.csv") == "a/deep/list.csv"
    assert tree.nearest("other.csv") is None


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
