"""FER2013's reader: rows of the CSV file, or image files named by row."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from openfer.datasets.readers.fer2013 import Fer2013
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.io.pixel_table import PixelTable
from tests.datasets.trees import write_text
from tests.datasets.trees_web import fer2013_csv, fer2013_pixels

ROWS = [(0, "Training"), (6, "Training"), (3, "PublicTest"), (1, "PrivateTest"), (5, "PrivateTest")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    fer2013_csv(tmp_path / "fer2013.csv", ROWS)
    return tmp_path


def read(root: Path, **options):
    return Fer2013(options).read(Tree(root), "fer2013")


def test_codes_have_their_names_and_usage_is_the_partition(root: Path) -> None:
    rows = read(root).sort_values("frame")
    assert rows["expression"].tolist() == ["anger", "neutral", "happiness", "disgust", "surprise"]
    assert rows["partition"].tolist() == ["train", "train", "val", "test", "test"]


def test_path_and_frame_lead_to_the_pixels(root: Path) -> None:
    rows = read(root)
    assert rows["sample_id"].is_unique
    for path, frame in zip(rows["path"], rows["frame"], strict=True):
        np.testing.assert_array_equal(PixelTable(root / path)[frame], fer2013_pixels(frame))


def test_the_kaggle_edition_with_blanks_after_commas_is_read(root: Path) -> None:
    write_text(root / "icml_face_data.csv", "emotion, Usage, pixels", "3, PublicTest, 1 2 3")
    rows = read(root, table="icml_face_data.csv")
    assert rows[["expression", "partition", "path"]].to_numpy().tolist() == [["happiness", "val", "icml_face_data.csv"]]


def test_image_files_are_named_by_row(root: Path) -> None:
    write_text(root / "labels.csv", "emotion,Usage", *(f"{code},{usage}" for code, usage in ROWS))
    rows = read(root, table="labels.csv", images="{usage}/{row:05d}.png").set_index("path")
    assert rows["expression"]["PrivateTest/00003.png"] == "disgust"
    assert rows["frame"].isna().all()


def test_a_table_without_pixels_needs_a_pattern(root: Path) -> None:
    write_text(root / "fer2013.csv", "emotion,Usage", "3,Training")
    with pytest.raises(DataError, match=r"no `pixels`; set options\.images"):
        read(root)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("images/a.png", "must hold"), ("{row}/{x}.png", "knows"), ("{row.x}", "knows"), ("{folder}/{name}", "FER")],
)
def test_a_wrong_pattern_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Fer2013({"images": pattern})


@pytest.mark.parametrize(
    ("line", "words"),
    [("7,0 0,Training", "the label 7"), ("3,0 0,Test", "the label Test"), ("x,0 0,Training", "'x'")],
)
def test_a_wrong_line_is_named(root: Path, line: str, words: str) -> None:
    write_text(root / "fer2013.csv", "emotion,pixels,Usage", line)
    with pytest.raises(DataError, match=words):
        read(root)


def test_a_missing_column_or_file_is_named(root: Path) -> None:
    write_text(root / "fer2013.csv", "label,pixels,Usage", "3,0 0,Training")
    with pytest.raises(DataError, match=r"lacks the columns \['emotion'\]"):
        read(root)
    with pytest.raises(DataError, match=r"lacks train\.csv"):
        read(root, table="train.csv")
    with pytest.raises(DataError, match="outside"):
        read(root, table="../fer2013.csv")


def test_the_published_counts_add_up() -> None:
    expected = Fer2013().expected()
    assert {side: sum(counts.values()) for side, counts in expected.classes.items()} == expected.images
    assert sum(expected.images.values()) == 35_887
