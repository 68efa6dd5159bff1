"""SFEW's reader on tiny copies of its stills and its crops."""

from pathlib import Path

import pytest

from openfer.datasets.readers.sfew import Sfew
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import SFEW
from tests.datasets.trees import shout, write_image

STILL = "Airheads_000519240_00000005.png"


def fill(root: Path, train: str, val: str, test: str) -> Path:
    """Write one image per expression and partition, and one test image without a folder of its own."""
    for folder in (train, val):
        for word in SFEW:
            write_image(root / f"{folder}/{word}/{STILL}")
    write_image(root / f"{test}/Hangover_000133200_00000021.png")
    return root


@pytest.mark.parametrize(
    ("images", "folders"),
    [
        ("original", ("Train", "Val", "Test")),
        ("original", ("SFEW_2/Train", "SFEW_2/Val", "SFEW_2/Test")),
        ("aligned", ("Train/Train_Aligned_Faces", "Val/Val_Aligned_Faces_new/Val_Aligned_Faces", "Test_Aligned_Faces")),
        ("aligned", ("Train_Aligned_Faces", "Val_Aligned_Faces_new", "Test/Test_Aligned_Faces")),
    ],
)
def test_the_layouts_in_circulation_are_read(tmp_path: Path, images: str, folders: tuple[str, str, str]) -> None:
    rows = Sfew({"images": images}).read(Tree(fill(tmp_path, *folders)), "sfew")
    assert rows["partition"].value_counts().to_dict() == {"train": 7, "val": 7, "test": 1}
    labelled = rows[rows["partition"] != "test"]
    assert labelled["expression"].tolist() == labelled["path"].str.split("/").str[-2].map(SFEW).tolist()
    assert rows.loc[rows["partition"] == "test", "expression"].isna().all()
    assert rows.iloc[0][["subject", "sequence"]].tolist() in (
        ["Airheads", "Airheads_000519240"],
        ["Hangover", "Hangover_000133200"],
    )


def test_suffixes_in_upper_case_are_read(tmp_path: Path) -> None:
    fill(tmp_path, "Train", "Val", "Test")
    shout(tmp_path / "Train", ".png")
    assert (Sfew().read(Tree(tmp_path), "sfew")["partition"] == "train").sum() == 7


def test_stills_and_crops_side_by_side_are_told_apart(tmp_path: Path) -> None:
    fill(tmp_path, "Train", "Val", "Test")
    fill(tmp_path, "Train/Train_Aligned_Faces", "Val/Val_Aligned_Faces", "Test/Test_Aligned_Faces")
    crops = Sfew({"images": "aligned"}).read(Tree(tmp_path), "sfew")
    stills = Sfew().read(Tree(tmp_path), "sfew")
    assert crops["path"].str.contains("Aligned_Faces").all()
    assert not stills["path"].str.contains("Aligned_Faces").any()
    assert len(crops) == len(stills) == 15


@pytest.mark.parametrize(("place", "word"), [("Train/Contempt", "Contempt"), ("Train", "Train")])
def test_an_image_without_a_known_expression_is_named(tmp_path: Path, place: str, word: str) -> None:
    fill(tmp_path, "Train", "Val", "Test")
    write_image(tmp_path / f"{place}/{STILL}")
    with pytest.raises(DataError, match=f"holds the label {word} "):
        Sfew().read(Tree(tmp_path), "sfew")


def test_the_edition_that_is_missing_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "Train", "Val", "Test")
    with pytest.raises(DataError, match="no aligned image of SFEW; the known layouts are Train/Train_Aligned_Faces"):
        Sfew({"images": "aligned"}).read(Tree(tmp_path), "sfew")


def test_the_published_counts_add_up() -> None:
    expected = Sfew().expected()
    assert expected.images == {"train": 958, "val": 436}  # many copies lack the test images
    assert {side: sum(names.values()) for side, names in expected.classes.items()} == {"train": 958, "val": 436}
    assert Sfew({"images": "aligned"}).expected().images["train"] == 891
