"""CelebA's reader on a tiny copy of the published layout."""

import shutil
from pathlib import Path

import pytest

from openfer.datasets.readers.celeba import CelebA
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from tests.datasets.trees import write_text
from tests.datasets.trees_web import celeba

FILES = [f"{number:06d}.jpg" for number in range(1, 5)]
ATTRIBUTES = {
    FILES[0]: ["Smiling", "Young"],
    FILES[1]: ["Male", "5_o_Clock_Shadow"],
    FILES[2]: [],
    FILES[3]: ["Young", "Male", "Bald"],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return celeba(tmp_path / "celeba", FILES, ATTRIBUTES)


def read(root: Path, **options):
    return CelebA(options).read(Tree(root), "celeba")


def test_attributes_are_those_that_the_face_has(root: Path) -> None:
    rows = read(root)
    assert rows["path"].tolist() == [f"Img/img_align_celeba/{file}" for file in FILES]
    assert [sorted(names) for names in rows["attributes"]] == [sorted(ATTRIBUTES[file]) for file in FILES]
    assert rows["gender"].tolist() == ["female", "male", "female", "male"]
    assert rows["expression"].isna().all()


def test_partitions_and_identities(root: Path) -> None:
    rows = read(root)
    assert rows["partition"].tolist() == ["train", "val", "test", "train"]
    assert rows["identity"].tolist() == rows["subject"].tolist() == ["2880", "2881", "2882", "2883"]


def test_each_edition_has_its_own_points_and_originals_have_boxes(root: Path) -> None:
    aligned, original = read(root), read(root, images="original")
    assert list(aligned["landmarks"][1]) == list(range(10, 20))
    assert aligned["box"].isna().all()
    assert list(original["landmarks"][1]) == list(range(110, 120))
    assert list(original["box"][1]) == [11, 20, 30, 40]
    assert original["path"][1] == "Img/img_celeba/000002.jpg"


def test_a_copy_without_folders_and_optional_lists_is_read(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in ("Anno/list_attr_celeba.txt", "Eval/list_eval_partition.txt", "Img/img_align_celeba"):
        shutil.move(root / name, flat)
    rows = read(flat)
    assert rows["path"][0] == "img_align_celeba/000001.jpg"
    assert rows["partition"].tolist() == ["train", "val", "test", "train"]
    assert rows[["landmarks", "identity", "subject"]].isna().all(axis=None)
    assert "lacks Anno/list_landmarks_align_celeba.txt" in caplog.text
    assert "set faces.align to detect" in caplog.text


def kaggle(root: Path, new: Path) -> Path:
    """The same copy as Kaggle has it: CSV lists, no identities, images in a folder within their folder."""
    shutil.copytree(root / "Img/img_align_celeba", new / "img_align_celeba/img_align_celeba")
    for place in ("Anno/list_attr_celeba", "Anno/list_landmarks_align_celeba", "Anno/list_bbox_celeba"):
        names, *lines = (root / f"{place}.txt").read_text().splitlines()[1:]
        head = ["image_id", *names.removeprefix("image_id").split()]
        write_text(new / f"{Path(place).name}.csv", ",".join(head), *(",".join(line.split()) for line in lines))
    lines = (root / "Eval/list_eval_partition.txt").read_text().splitlines()
    write_text(new / "list_eval_partition.csv", "image_id,partition", *(line.replace(" ", ",") for line in lines))
    return new


def test_the_kaggle_copy_says_the_same(root: Path, tmp_path: Path) -> None:
    rows, published = read(kaggle(root, tmp_path / "kaggle")), read(root)
    assert rows["path"].tolist() == [f"img_align_celeba/img_align_celeba/{file}" for file in FILES]
    for column in ("attributes", "landmarks"):
        assert rows[column].map(list).tolist() == published[column].map(list).tolist()
    assert rows[["gender", "partition"]].equals(published[["gender", "partition"]])
    assert rows["subject"].isna().all()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Arched_Eyebrows", "Eyebrows", r"lacks the columns \['Arched_Eyebrows'\]"),
        ("000003.jpg", "000002.jpg", r"line 4 of .*list_attr_celeba\.csv .* repeats"),
        (",", ";", "save it with commas"),
    ],
)
def test_a_wrong_csv_list_is_named(root: Path, tmp_path: Path, old: str, new: str, words: str) -> None:
    path = kaggle(root, tmp_path / "kaggle") / "list_attr_celeba.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=words):
        read(path.parent)


def test_a_missing_list_is_named(root: Path) -> None:
    (root / "Eval/list_eval_partition.txt").unlink()
    with pytest.raises(DataError, match=r"lacks Eval/list_eval_partition\.txt"):
        read(root)


@pytest.mark.parametrize(
    ("place", "old", "new", "words"),
    [
        ("Anno/list_attr_celeba.txt", "Arched_Eyebrows", "Eyebrows", "line 2 of .* names the columns"),
        ("Anno/list_attr_celeba.txt", "000003.jpg", "000002.jpg", "line 5 of .* repeats"),
        ("Anno/list_attr_celeba.txt", "000003.jpg  -1", "000003.jpg  0", "says '0' of 000003.jpg's 5_o_Clock_Shadow"),
        ("Anno/list_attr_celeba.txt", "000003.jpg", "../000003.jpg", "outside"),
        ("Anno/list_bbox_celeba.txt", "000003.jpg 12", "000003.jpg x", "words instead of numbers for 000003"),
        ("Eval/list_eval_partition.txt", "000003.jpg 2", "000003.jpg 3", "the label 3"),
        ("Eval/list_eval_partition.txt", "000003.jpg 2", "000003.jpg", "line 3 of .* incomplete"),
    ],
)
def test_a_wrong_line_is_named(root: Path, place: str, old: str, new: str, words: str) -> None:
    text = (root / place).read_text()
    assert old in text
    (root / place).write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=words):
        read(root, images="original")


def test_an_archive_is_named(root: Path) -> None:
    shutil.rmtree(root / "Anno")
    write_text(root / "anno.zip", "PK")
    with pytest.raises(DataError, match=r"there is an archive, anno\.zip: unpack it"):
        read(root)


def test_the_published_counts_add_up() -> None:
    expected = CelebA().expected()
    assert sum(expected.images.values()) == 202_599
    assert (expected.subjects, expected.landmarks) == (None, False)  # many copies lack these lists
