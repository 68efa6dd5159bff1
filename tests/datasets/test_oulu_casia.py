"""Oulu-CASIA's reader on a tiny copy of the layouts in circulation."""

from pathlib import Path

import pytest

from openfer.datasets.readers.oulu_casia import OuluCasia
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import OULU_CASIA
from tests.datasets.trees import shout, write_text
from tests.datasets.trees_lab import oulu_casia

PEOPLE = ("P001", "P080")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return oulu_casia(tmp_path / "oulu", "OriginalImg", PEOPLE, tuple(OULU_CASIA))


def test_strong_visible_light_gives_the_last_three_frames(root: Path) -> None:
    rows = OuluCasia().read(Tree(root), "oulu_casia")
    assert len(rows) == 2 * 6 * 3
    assert rows["path"].str.contains("VL/Strong/").all()
    assert set(rows["frame"]) == {2, 3, 4}
    assert rows["subject"].unique().tolist() == list(PEOPLE)
    assert rows["sequence"].nunique() == 12
    folders = rows["path"].str.split("/").str[4]
    assert (rows["expression"] == folders.map(OULU_CASIA)).all()
    assert rows["partition"].isna().all()


def test_the_other_recordings_are_options(root: Path) -> None:
    rows = OuluCasia({"spectrum": "infrared", "frames": "all", "neutral": 1}).read(Tree(root), "oulu_casia")
    assert rows["path"].str.contains("NI/Strong/").all()
    assert (rows["expression"] == "neutral").sum() == 12
    assert len(rows) == 12 * 5


@pytest.mark.parametrize(
    "folder",
    [
        *("PreProcess Img", "PreProcess", "PreProcess_Img", "PreprocessImg", "Pre-Process Img", "Pre-processImg"),
        *("C_PreProcessImg", "C_PreProcessImg/PreProcess Img"),
    ],
)
def test_the_crops_are_found_under_all_their_names(tmp_path: Path, folder: str) -> None:
    oulu_casia(tmp_path / "oulu", folder, ["P001"], ["Fear"])
    rows = OuluCasia({"images": "preprocessed"}).read(Tree(tmp_path / "oulu"), "oulu_casia")
    assert rows["expression"].tolist() == ["fear"] * 3
    assert rows["path"].str.contains("/VL_Acropped/Strong/").all()
    infrared = OuluCasia({"images": "preprocessed", "spectrum": "infrared"}).read(Tree(tmp_path / "oulu"), "oulu_casia")
    assert infrared["path"].str.contains("/NI_Acropped/Strong/").all()


def test_crops_in_folders_named_like_the_originals_are_found(tmp_path: Path) -> None:
    oulu_casia(tmp_path / "oulu", "PreProcess", ["P001"], ["Fear"])
    (tmp_path / "oulu/PreProcess/VL_Acropped").rename(tmp_path / "oulu/PreProcess/VL")
    assert len(OuluCasia({"images": "preprocessed"}).read(Tree(tmp_path / "oulu"), "oulu_casia")) == 3


@pytest.mark.parametrize("folder", ["B_OriginalImg", "Original_Img", "Original Img"])
def test_the_originals_are_found_under_all_their_names(tmp_path: Path, folder: str) -> None:
    oulu_casia(tmp_path / "oulu", folder, ["P001"], ["Fear"])
    assert len(OuluCasia().read(Tree(tmp_path / "oulu"), "oulu_casia")) == 3


def test_a_suffix_in_upper_case_is_read(root: Path) -> None:
    shout(root, ".jpeg")
    assert len(OuluCasia().read(Tree(root), "oulu_casia")) == 2 * 6 * 3


def test_frames_that_lie_in_two_folders_are_named(root: Path) -> None:
    oulu_casia(root, "B_OriginalImg", ["P080"], ["Fear"])
    with pytest.raises(DataError, match=r"same frame as B_OriginalImg/.*/000\.jpeg and as OriginalImg/.*keep one"):
        OuluCasia().read(Tree(root), "oulu_casia")


def test_a_folder_that_is_no_expression_is_named(root: Path) -> None:
    write_text(root / "OriginalImg/VL/Strong/P001/Joy/000.jpeg", "x")
    with pytest.raises(DataError, match="holds the label Joy"):
        OuluCasia().read(Tree(root), "oulu_casia")


def test_a_missing_recording_is_named_with_the_known_layouts(root: Path) -> None:
    with pytest.raises(DataError, match="known layouts are OriginalImg/VL/Dark/P001"):
        OuluCasia({"light": "dark"}).read(Tree(root), "oulu_casia")
    with pytest.raises(DataError, match=r"preprocessed image of Oulu-CASIA; .* PreProcess Img/VL_Acropped/Strong/P001"):
        OuluCasia({"images": "preprocessed"}).read(Tree(root), "oulu_casia")


def test_the_published_counts_add_up() -> None:
    expected = OuluCasia().expected()
    assert expected.images == {"": 1440}
    assert sum(expected.classes[""].values()) == 1440
    assert (expected.subjects, expected.sequences) == (80, 480)
    neutral = OuluCasia({"neutral": 2}).expected()
    assert sum(neutral.classes[""].values()) == neutral.images[""]
    assert OuluCasia({"frames": "all"}).expected().images == {}
