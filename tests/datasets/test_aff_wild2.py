"""Aff-Wild2's reader on a tiny copy of the published layout."""

from pathlib import Path

import pytest

from openfer.datasets.readers.aff_wild2 import AffWild2
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from tests.datasets.trees import shout, write_image, write_text
from tests.datasets.trees_lab import aff_wild2

FRAMES = {"1-30-1280x720": (1, 2, 4, 5, 6, 9), "video7_left": (1, 2), "video7_right": (1, 2), "other": (1,)}
EXPRESSIONS = {
    "Train_Set/1-30-1280x720": (0, 4, 4, -1, 6, 5),
    "Validation_Set/video7_left": (1, 2),
    "Train_Set/video7_right": (3, 3),
}
AFFECT = {
    "Train_Set/1-30-1280x720": ((0.5, -0.5), (-5, -5), (0, 0), (0.1, 0.2), (1, -1), (0.3, 0.4)),
    "Train_Set/video7_left": ((0.1, 0.1), (0.2, 0.2)),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return aff_wild2(tmp_path / "aff", FRAMES, EXPRESSIONS, AFFECT)


def test_line_n_belongs_to_image_n(root: Path) -> None:
    rows = AffWild2().read(Tree(root), "aff_wild2")
    video = rows[rows["sequence"] == "1-30-1280x720"]
    assert video["frame"].tolist() == [1, 2, 5, 6]  # 3 has no image, 4 no label, 9 no line
    assert video["expression"].tolist() == ["neutral", "happiness", "surprise", "sadness"]
    assert video["path"].iloc[2] == "cropped_aligned/1-30-1280x720/00005.jpg"
    assert (rows["subject"] == rows["sequence"]).all()
    assert "other" not in set(rows["sequence"])


def test_suffixes_in_upper_case_are_read(root: Path) -> None:
    shout(root / "cropped_aligned/video7_left", ".jpg")
    assert "video7_left" in set(AffWild2().read(Tree(root), "aff_wild2")["sequence"])


def test_partitions_are_those_of_the_lists(root: Path) -> None:
    rows = AffWild2().read(Tree(root), "aff_wild2")
    sides = rows.groupby("sequence")["partition"].first().to_dict()
    assert sides == {"1-30-1280x720": "train", "video7_left": "val", "video7_right": "train"}


def test_valence_and_arousal_are_added_where_the_partitions_agree(root: Path) -> None:
    rows = AffWild2().read(Tree(root), "aff_wild2").set_index(["sequence", "frame"])
    assert rows.loc[("1-30-1280x720", 1), ["valence", "arousal"]].tolist() == [0.5, -0.5]
    assert rows.loc[("1-30-1280x720", 2), ["valence", "arousal"]].isna().all()
    assert rows.loc[("1-30-1280x720", 5), ["valence", "arousal"]].tolist() == [1, -1]
    assert rows.loc["video7_left", "valence"].isna().all()


def test_the_other_task_can_choose_the_frames(root: Path) -> None:
    rows = AffWild2({"labels": "valence_arousal"}).read(Tree(root), "aff_wild2").set_index(["sequence", "frame"])
    assert rows.index.tolist() == [("1-30-1280x720", n) for n in (1, 4, 5, 6)] + [("video7_left", n) for n in (1, 2)]
    assert rows["partition"].unique().tolist() == ["train"]
    assert rows.loc[("1-30-1280x720", 1), "expression"] == "neutral"
    assert rows["expression"].isna().tolist() == [False, True, False, False, True, True]


def test_the_later_edition_has_other_as_a_row_without_expression(tmp_path: Path) -> None:
    names = "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise,Other"
    root = aff_wild2(tmp_path / "aff", {"a": (1, 2, 3)}, {"Train_Set/a": (7, 6, -1)}, {}, names)
    (root / "annotations/EXPR_Set").rename(root / "annotations/EXPR_Classification_Challenge")
    rows = AffWild2({"edition": "abaw_2022"}).read(Tree(root), "aff_wild2")
    assert rows["expression"].isna().tolist() == [True, False]
    with pytest.raises(DataError, match="set edition: abaw_2022"):
        AffWild2().read(Tree(root), "aff_wild2")


def test_the_older_name_of_the_training_folder_is_known(root: Path) -> None:
    (root / "annotations/EXPR_Set/Train_Set").rename(root / "annotations/EXPR_Set/Training_Set")
    assert "train" in set(AffWild2().read(Tree(root), "aff_wild2")["partition"])


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise", "9"), "the label 9 "),
        (("Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise", "x"), "'x'"),
        (("Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise", "1,2"), "1 number"),
        (("Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise", "1.5"), "integer is expected"),
        (("Anger,Neutral", "1"), "an edition that openfer does not know"),
    ],
)
def test_a_wrong_annotation_is_named(root: Path, lines: tuple[str, ...], words: str) -> None:
    write_text(root / "annotations/EXPR_Set/Train_Set/1-30-1280x720.txt", *lines)
    with pytest.raises(DataError, match=words) as error:
        AffWild2().read(Tree(root), "aff_wild2")
    assert "1-30-1280x720.txt" in str(error.value)


def test_what_is_there_twice_is_refused(root: Path) -> None:
    write_text(root / "annotations/EXPR_Set/Validation_Set/1-30-1280x720.txt", "x")
    with pytest.raises(DataError, match=r"annotates 1-30-1280x720 in .*Train_Set.* and in .*Validation_Set"):
        AffWild2().read(Tree(root), "aff_wild2")
    (root / "annotations/EXPR_Set/Validation_Set/1-30-1280x720.txt").unlink()
    write_image(root / "cropped_aligned_new_50_vids/video7_left/00001.jpg")
    with pytest.raises(DataError, match="has video7_left in cropped_aligned/video7_left and cropped_aligned_new"):
        AffWild2().read(Tree(root), "aff_wild2")


def test_missing_images_and_annotations_are_named(root: Path, tmp_path: Path) -> None:
    write_text(tmp_path / "empty/cropped_aligned.zip", "PK")
    with pytest.raises(DataError, match=r"known layouts are cropped_aligned/video1.*unpack it"):
        AffWild2().read(Tree(tmp_path / "empty"), "aff_wild2")
    (root / "annotations/EXPR_Set").rename(root / "annotations/labels")
    with pytest.raises(DataError, match="no annotation of expression; the known layouts are EXPR_Set/Train_Set"):
        AffWild2().read(Tree(root), "aff_wild2")


def test_the_published_counts_are_those_of_the_first_edition() -> None:
    assert AffWild2().expected().images == {"train": 904_825, "val": 322_080}
    assert AffWild2({"edition": "abaw_2022"}).expected().images == {}
