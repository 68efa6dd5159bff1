"""CK+'s reader on a tiny copy of the published layout."""

from pathlib import Path

import pytest

from openfer.datasets.readers.ck_plus import CkPlus
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from tests.datasets.trees import shout, write_text
from tests.datasets.trees_lab import ck_plus

SEQUENCES = {"S005/001": (6, 3), "S010/002": (5, 7), "S010/004": (4, None), "S011/003": (4, 2)}
EMOTION = "Emotion/S005/001/S005_001_00000006_emotion.txt"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return ck_plus(tmp_path / "ck", SEQUENCES)


def test_the_last_three_frames_carry_the_expression(root: Path) -> None:
    rows = CkPlus().read(Tree(root), "ck_plus")
    found = rows.groupby("sequence")[["frame", "expression", "subject"]].agg(list)
    assert found.loc["S005_001"].tolist() == [[4, 5, 6], ["disgust"] * 3, ["S005"] * 3]
    assert found.loc["S010_002", "expression"] == ["surprise"] * 3
    assert found.loc["S011_003", "expression"] == ["contempt"] * 3
    assert "S010_004" not in found.index
    assert rows["partition"].isna().all()


def test_suffixes_in_upper_case_are_read(root: Path) -> None:
    shout(root / "cohn-kanade-images/S005", ".png")
    assert "S005_001" in set(CkPlus().read(Tree(root), "ck_plus")["sequence"])


def test_points_are_those_of_the_frame(root: Path) -> None:
    rows = CkPlus().read(Tree(root), "ck_plus")
    assert len(rows["landmarks"][0]) == 136
    assert list(rows["landmarks"][0])[2:4] == [1.5, 20]
    for file in root.rglob("*_landmarks.txt"):
        file.unlink()
    assert CkPlus().read(Tree(root), "ck_plus")["landmarks"].isna().all()


def test_first_frames_can_be_neutral_faces(root: Path) -> None:
    rows = CkPlus({"neutral": 1}).read(Tree(root), "ck_plus")
    neutral = rows[rows["expression"] == "neutral"]
    assert neutral["frame"].tolist() == [1, 1, 1]
    assert len(rows) == 12


def test_all_frames_and_unlabelled_sequences_can_be_read(root: Path) -> None:
    rows = CkPlus({"frames": "all", "unlabelled": True}).read(Tree(root), "ck_plus")
    assert len(rows) == 6 + 5 + 4 + 4
    assert rows.loc[rows["sequence"] == "S010_004", "expression"].isna().all()


@pytest.mark.parametrize(
    ("text", "words"),
    [("9.0", "the label 9 "), ("joy", "'joy'"), ("1.0 2.0", "2 values"), ("1.5", "integer is expected")],
)
def test_a_wrong_emotion_is_named(root: Path, text: str, words: str) -> None:
    write_text(root / EMOTION, text)
    with pytest.raises(DataError, match=words) as error:
        CkPlus().read(Tree(root), "ck_plus")
    assert "S005_001_00000006_emotion.txt" in str(error.value)


def test_two_emotions_of_a_sequence_are_refused(root: Path) -> None:
    write_text(root / EMOTION.replace("00000006", "00000005"), "1.0")
    with pytest.raises(DataError, match="several emotion files of S005_001"):
        CkPlus().read(Tree(root), "ck_plus")


def test_damaged_points_are_named(root: Path) -> None:
    write_text(root / "Landmarks/S005/001/S005_001_00000006_landmarks.txt", "1.0 2.0")
    with pytest.raises(DataError, match=r"S005_001_00000006_landmarks\.txt is not 68 points \(2 numbers\)"):
        CkPlus().read(Tree(root), "ck_plus")


def test_another_layout_or_an_archive_is_named(tmp_path: Path) -> None:
    write_text(tmp_path / "a/anger/S010_004_00000017.png", "x")
    with pytest.raises(DataError, match=r"no image of CK\+; the known layouts are cohn-kanade-images/.*anger"):
        CkPlus().read(Tree(tmp_path / "a"), "ck_plus")
    write_text(tmp_path / "b/cohn-kanade-images.zip", "PK")
    with pytest.raises(DataError, match=r"cohn-kanade-images\.zip: unpack it"):
        CkPlus().read(Tree(tmp_path / "b"), "ck_plus")


def test_the_published_counts_add_up() -> None:
    expected = CkPlus().expected()
    assert expected.images == {"": 981}
    assert sum(expected.classes[""].values()) == 981
    neutral = CkPlus({"neutral": 1}).expected()
    assert sum(neutral.classes[""].values()) == neutral.images[""] == 981 + 327
    assert CkPlus({"unlabelled": True, "frames": "all"}).expected().sequences == 593


def test_six_classes_leave_contempt_out(root: Path) -> None:
    rows = CkPlus({"classes": 6}).read(Tree(root), "ck_plus")
    assert set(rows["expression"]) == {"disgust", "surprise"}
    expected = CkPlus({"classes": 6}).expected()
    assert (expected.sequences, expected.subjects, expected.images) == (309, None, {"": 927})
    assert CkPlus({"classes": 6, "unlabelled": True}).expected().sequences == 593 - 18
    assert CkPlus({"unlabelled": True}).expected().sequences == 593
