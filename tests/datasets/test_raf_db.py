"""RAF-DB's reader on a tiny copy of the published layout."""

from pathlib import Path

import pytest

from openfer.datasets.readers.raf_db import RafDb
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from tests.datasets.trees import raf_db, write_text

LABELS = {"train_00001": 5, "train_00002": 7, "test_0001": 1, "test_0002": 6}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return raf_db(tmp_path / "basic", LABELS)


def test_labels_count_from_surprise(root: Path) -> None:
    rows = RafDb().read(Tree(root), "raf_db").set_index("path")
    named = {f"Image/original/{name}.jpg": code for name, code in LABELS.items()}
    words = {1: "surprise", 5: "sadness", 6: "anger", 7: "neutral"}
    assert rows["expression"].to_dict() == {path: words[code] for path, code in named.items()}
    assert rows["partition"].to_dict() == {path: "train" if "train" in path else "test" for path in named}


def test_manual_attributes_and_points_come_with_the_original_images(root: Path) -> None:
    rows = RafDb().read(Tree(root), "raf_db")
    assert rows[["gender", "race", "age"]].drop_duplicates().to_numpy().tolist() == [["female", "asian", "40-69"]]
    assert list(rows["landmarks"][0]) == [40.5, 45, 70, 44, 55, 60, 44, 78, 68, 77]


def test_the_aligned_edition_has_no_points(root: Path) -> None:
    rows = RafDb({"images": "aligned"}).read(Tree(root), "raf_db")
    assert rows["path"].str.endswith("_aligned.jpg").all()
    assert rows["landmarks"].isna().all()


def test_a_copy_without_annotations_is_read_and_says_so(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    RafDb().read(Tree(root), "raf_db")
    assert not caplog.text
    for file in (root / "Annotation/manual").iterdir():
        file.unlink()
    rows = RafDb().read(Tree(root), "raf_db")
    assert rows["gender"].isna().all()
    assert rows["expression"].notna().all()
    assert "4 of the 4 images" in caplog.text
    assert "set faces.align to detect" in caplog.text
    caplog.clear()
    RafDb({"images": "aligned"}).read(Tree(root), "raf_db")
    assert not caplog.text


def test_archives_unpacked_into_folders_of_their_own_name_are_read(root: Path) -> None:
    before = RafDb().read(Tree(root), "raf_db")
    for place in ("Annotation/manual", "Image/original", "Image/aligned"):
        (root / place).rename(root / "moved")
        (root / place).mkdir()
        (root / "moved").rename(root / place / place.split("/")[1])
    after = RafDb().read(Tree(root), "raf_db")
    assert after["path"].tolist() == [path.replace("original", "original/original") for path in before["path"]]
    assert after["landmarks"].map(list).tolist() == before["landmarks"].map(list).tolist()
    assert (after["gender"] == before["gender"]).all()
    aligned = RafDb({"images": "aligned"}).read(Tree(root), "raf_db")
    assert aligned["path"].str.startswith("Image/aligned/aligned/").all()


@pytest.mark.parametrize(
    "line", ["{name}_aligned.jpg {code}", "{name}.jpg {code} 1", "{name}.jpg,{code}", "{name}.png {code}"]
)
def test_lists_in_circulation_are_read_as_the_published_one(root: Path, line: str) -> None:
    before = RafDb().read(Tree(root), "raf_db")
    lines = (line.format(name=name, code=code) for name, code in LABELS.items())
    write_text(root / "EmoLabel/list_patition_label.txt", *lines)
    assert RafDb().read(Tree(root), "raf_db").equals(before)


@pytest.mark.parametrize("suffix", [".JPG", ".png", ".jpeg"])
def test_images_with_another_suffix_are_those_of_the_list(root: Path, suffix: str) -> None:
    for path in list((root / "Image/aligned").iterdir()):
        path.rename(path.with_suffix(suffix))
    rows = RafDb({"images": "aligned"}).read(Tree(root), "raf_db")
    assert set(rows["path"]) == {f"Image/aligned/{name}_aligned{suffix}" for name in LABELS}


def test_the_other_edition_of_the_images_is_named_with_its_option(root: Path) -> None:
    files = [file for file in Tree(root).files if not file.startswith("Image/original")]
    said = RafDb().advice(files)
    assert "the copy has the aligned images, 4 files" in said
    assert "options: {images: aligned}; faces: {align: whole}" in said
    assert RafDb({"images": "aligned"}).advice(files) == ""


def test_an_image_that_is_not_there_keeps_its_published_place(root: Path) -> None:
    (root / "Image/original/test_0001.jpg").unlink()
    assert "Image/original/test_0001.jpg" in set(RafDb().read(Tree(root), "raf_db")["path"])


def test_points_are_expected_of_the_original_images_only() -> None:
    assert RafDb().expected().landmarks
    assert not RafDb({"images": "aligned"}).expected().landmarks


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("train_00003.jpg 9", "holds the label 9 "),
        ("train_00003.jpg", "line 5"),
        ("train_00003.jpg five", "'five'"),
        ("valid_00003.jpg 5", "the label valid"),
        ("train_../../../x.jpg 5", "outside"),
    ],
)
def test_a_wrong_line_is_named(root: Path, line: str, words: str) -> None:
    labels = root / "EmoLabel/list_patition_label.txt"
    labels.write_text(labels.read_text() + line + "\n")
    with pytest.raises(DataError, match=words):
        RafDb().read(Tree(root), "raf_db")


def test_a_damaged_annotation_is_named(root: Path) -> None:
    write_text(root / "Annotation/manual/train_00001_manu_attri.txt", "1\t2", "0")
    with pytest.raises(DataError, match=r"train_00001_manu_attri\.txt is not five points"):
        RafDb().read(Tree(root), "raf_db")


def test_the_published_counts_add_up() -> None:
    expected = RafDb().expected()
    assert {side: sum(names.values()) for side, names in expected.classes.items()} == expected.images
    assert sum(expected.images.values()) == 15_339
