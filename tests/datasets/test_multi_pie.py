"""Multi-PIE's reader on a tiny copy of the published layout."""

from pathlib import Path

import pytest

from openfer.datasets.readers.multi_pie import MultiPie
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import ILLUMINATIONS, MULTI_PIE_CAMERA, MULTI_PIE_LIGHT, POSES
from tests.datasets.trees import shout, write_image, write_text
from tests.datasets.trees_lab import multi_pie

RECORDINGS = ("001_01_01", "001_01_02", "001_02_02", "001_02_03", "001_04_02", "001_04_03", "002_01_01")
CAMERAS = ("05_1", "11_0", "19_1")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return multi_pie(tmp_path / "Multi-Pie", RECORDINGS, CAMERAS, (0, 7, 18, 19))


def test_names_of_folders_and_files_give_the_labels(root: Path) -> None:
    rows = MultiPie().read(Tree(root), "multi_pie")
    assert len(rows) == 7 * 3 * 4
    row = rows.set_index("path").loc["data/session01/multiview/001/02/11_0/001_01_02_110_07.png"]
    assert row[["subject", "identity", "sequence"]].tolist() == ["001", "001", "001_01_02"]
    assert row[["pose", "illumination", "expression"]].tolist() == ["yaw-90", "light07", "happiness"]
    assert rows["partition"].isna().all()


def test_suffixes_in_upper_case_are_read(root: Path) -> None:
    shout(root / "data/session02", ".png")
    rows = MultiPie({"images": "all"}).read(Tree(root), "multi_pie")
    assert len(rows) == 7 * 3 * 4 + 7
    assert rows["path"].str.endswith(".PNG").sum() == 2 * 3 * 4 + 2


def test_the_two_images_without_flash_share_an_illumination(root: Path) -> None:
    rows = MultiPie().read(Tree(root), "multi_pie")
    lights = rows.groupby(rows["path"].str[-6:-4])["illumination"].unique().str[0].to_dict()
    assert lights == {"00": "light00", "07": "light07", "18": "light18", "19": "light00"}
    once = MultiPie({"second_dark_image": False}).read(Tree(root), "multi_pie")
    assert not once["path"].str.endswith("_19.png").any()
    assert len(once) == 7 * 3 * 3


def test_expressions_without_a_name_are_null(root: Path) -> None:
    rows = MultiPie().read(Tree(root), "multi_pie")
    found = rows.groupby("sequence")["expression"].agg(lambda names: names.iloc[0]).to_dict()
    assert {key: name for key, name in found.items() if isinstance(name, str)} == {
        "001_01_01": "neutral",
        "001_01_02": "happiness",
        "001_02_02": "surprise",
        "001_04_02": "neutral",
        "002_01_01": "neutral",
    }


def test_people_have_gender_and_an_age_where_the_birth_year_decides_it(root: Path) -> None:
    rows = MultiPie().read(Tree(root), "multi_pie")
    people = rows.groupby("subject")[["gender", "age"]].first()
    assert people.loc["001"].tolist() == ["male", "20-39"]
    assert people.loc["002", "gender"] == "female"
    assert rows.loc[rows["subject"] == "002", "age"].isna().all()  # 18 to 20 years old
    (root / "meta/subject_list.txt").unlink()
    assert MultiPie().read(Tree(root), "multi_pie")["gender"].isna().all()


def test_frontal_photographs_are_an_option(root: Path) -> None:
    rows = MultiPie({"images": "highres"}).read(Tree(root), "multi_pie")
    assert len(rows) == 7
    assert rows["pose"].unique().tolist() == ["yaw+0"]
    assert rows["illumination"].isna().all()
    assert len(MultiPie({"images": "all"}).read(Tree(root), "multi_pie")) == 7 + 7 * 3 * 4


def test_every_camera_is_a_pose_and_every_image_a_light() -> None:
    assert sorted(MULTI_PIE_CAMERA.values()) == sorted(POSES)
    assert sorted(MULTI_PIE_LIGHT) == list(range(20))
    assert set(MULTI_PIE_LIGHT.values()) == set(ILLUMINATIONS)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("session01/multiview/001/01/05_1/001_01_02_051_00.png", "not named after its folders"),
        ("session01/multiview/001/01/05_1/001_01_01_051_20.png", "the label 20 "),
        ("session01/multiview/001/01/05_1/001_01_01_051_xx.png", "'xx'"),
        ("session01/multiview/001/01/33_0/001_01_01_330_00.png", "the label 33_0 "),
        ("session05/multiview/001/01/05_1/001_05_01_051_00.png", "the label 05/01 "),
    ],
)
def test_a_wrong_name_is_named(root: Path, name: str, words: str) -> None:
    write_image(root / "data" / name)
    with pytest.raises(DataError, match=words):
        MultiPie().read(Tree(root), "multi_pie")


@pytest.mark.parametrize(
    ("line", "words"),
    [("003 1970", "line 1 of"), ("003 old Male 1 1 1 1", "'old'"), ("003 1970 Man 1 1 1 1", "label Man")],
)
def test_a_wrong_line_of_the_subjects_is_named(root: Path, line: str, words: str) -> None:
    write_text(root / "meta/subject_list.txt", line)
    with pytest.raises(DataError, match=words):
        MultiPie().read(Tree(root), "multi_pie")


def test_another_folder_is_named_with_the_known_layout(tmp_path: Path) -> None:
    write_image(tmp_path / "pie/001_01_01_051_00.png")
    with pytest.raises(DataError, match="no multiview image of Multi-PIE; the known layouts are data/session01"):
        MultiPie().read(Tree(tmp_path / "pie"), "multi_pie")


def test_the_published_counts_add_up() -> None:
    assert MultiPie({"images": "all"}).expected().images == {"": 755_370}
    expected = MultiPie().expected()
    unnamed = (203 + 239) * 300  # squint and scream
    assert sum(expected.classes[""].values()) + unnamed == expected.images[""]
    assert MultiPie({"second_dark_image": False}).expected().images == {"": 754_200 * 19 // 20}
