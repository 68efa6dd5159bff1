"""MMI's reader on a tiny copy: short videos with the database's XML files."""

from pathlib import Path

import pytest
import yaml

from openfer.datasets.readers.mmi import Mmi, MmiOptions
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.faces.config import FacesConfig
from tests.datasets.trees import write_text
from tests.datasets.trees_lab import mmi

FRONTAL, PROFILE, DUAL = 0, 1, 2
SESSIONS = {
    1: ("S002-106", DUAL, 4),
    2: ("S030-001", FRONTAL, 1),
    3: ("S030-002", FRONTAL, 9),
    4: ("S030-003", FRONTAL, None),
    5: ("S021-004", PROFILE, 6),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return mmi(tmp_path / "mmi", SESSIONS)


def test_the_three_peak_frames_of_front_views_are_read(root: Path) -> None:
    rows = Mmi().read(Tree(root), "mmi")
    found = rows.groupby("sequence")[["frame", "expression", "subject"]].agg(list)
    assert found.loc["1"].tolist() == [[3, 4, 5], ["happiness"] * 3, ["S002"] * 3]
    assert found.loc["2"].tolist() == [[3, 4, 5], ["anger"] * 3, ["S030"] * 3]
    assert len(found) == 2
    assert set(rows["path"]) == {"Sessions/1/S002-106.avi", "Sessions/2/S030-001.avi"}


def test_other_views_frames_and_unlabelled_videos_are_options(root: Path) -> None:
    rows = Mmi({"views": ["profile"], "frames": "all"}).read(Tree(root), "mmi")
    assert rows["frame"].tolist() == list(range(9))
    assert rows["expression"].unique().tolist() == ["surprise"]
    every = Mmi({"unlabelled": True}).read(Tree(root), "mmi")
    assert every.loc[every["sequence"].isin(["3", "4"]), "expression"].isna().tolist() == [True] * 6


def test_the_session_gives_what_the_video_does_not(root: Path) -> None:
    folder = root / "Sessions/1"
    text = (folder / "session.xml").read_text().replace("S002-106", "clip")
    (folder / "session.xml").write_text(text.replace("</session>", '<Metatag Name="Emotion" Value="3"/></session>'))
    (folder / "S002-106.avi").rename(folder / "clip.avi")
    rows = Mmi().read(Tree(root), "mmi")
    assert rows.iloc[0][["subject", "expression"]].tolist() == ["7", "fear"]


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("S002-106.xml", '"4"', '"12"', "the label 12 "),
        ("S002-106.xml", '"4"', '"joy"', "'joy'"),
        ("S002-106.xml", "</", "<", "is not XML"),
        ("session.xml", 'view="2"', 'view="7"', "the view '7'"),
        ("session.xml", 'view="2"', "", "no track with a view"),
    ],
)
def test_a_damaged_annotation_is_named(root: Path, file: str, old: str, new: str, words: str) -> None:
    path = root / "Sessions/1" / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=words):
        Mmi().read(Tree(root), "mmi")


def test_a_missing_session_file_is_named(root: Path) -> None:
    (root / "Sessions/1/session.xml").unlink()
    with pytest.raises(DataError, match=r"lacks Sessions/1/session\.xml"):
        Mmi().read(Tree(root), "mmi")


def test_a_damaged_video_is_named(root: Path) -> None:
    write_text(root / "Sessions/1/S002-106.avi", "no video")
    with pytest.raises(DataError, match=r"S002-106\.avi cannot be read as a video"):
        Mmi().read(Tree(root), "mmi")


def test_a_folder_without_sessions_is_named(tmp_path: Path) -> None:
    write_text(tmp_path / "mmi/anger/S002-106.avi", "x")
    with pytest.raises(DataError, match="no video of MMI; the known layouts are Sessions/1"):
        Mmi().read(Tree(tmp_path / "mmi"), "mmi")


def test_no_full_copy_is_called_wrong_as_its_publisher_gives_no_count() -> None:
    expected = Mmi().expected()
    assert not expected.images
    assert (expected.sequences, expected.subjects) == (None, None)


def test_the_surest_face_is_taken_where_a_mirror_shows_the_profile_beside_it() -> None:
    parameters = yaml.safe_load((Path(__file__).parents[2] / "conf/base/parameters/mmi.yml").read_text())
    assert "dual" in MmiOptions(**parameters["mmi"]["options"]).views
    assert FacesConfig(**parameters["mmi"]["faces"]).meant == "surest"
