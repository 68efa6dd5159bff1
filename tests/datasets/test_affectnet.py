"""AffectNet's reader on tiny copies of both layouts."""

from pathlib import Path

import numpy as np
import pytest

from openfer.datasets.readers.affectnet import AffectNet
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import EXPRESSIONS
from tests.datasets.trees import write_text
from tests.datasets.trees_web import AFFECTNET_HEADER, POINTS_68, affectnet_csv, affectnet_line, affectnet_npy

TRAIN = {f"{number}/train{number}.jpg": number for number in range(11)}
TEST = {f"{500 + number}/test{number}.jpg": number for number in range(11)}
NAMES = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return affectnet_csv(tmp_path / "affectnet", TRAIN, TEST)


def read(root: Path, **options):
    return AffectNet(options).read(Tree(root), "affectnet")


def test_codes_have_their_names_and_validation_is_the_test_set(root: Path) -> None:
    rows = read(root).set_index("path")
    for side, files in (("train", TRAIN), ("test", TEST)):
        found = rows[rows["partition"] == side]["expression"].to_dict()
        assert found == {f"Manually_Annotated_Images/{f}": NAMES[code] for f, code in files.items() if code < 8}


def test_a_validation_list_without_a_header_is_read_alike(root: Path, tmp_path: Path) -> None:
    bare = affectnet_csv(tmp_path / "bare", TRAIN, TEST, header=False)
    columns = ["path", "partition", "expression", "valence", "sample_id"]
    assert read(bare)[columns].equals(read(root)[columns])


def test_points_box_valence_and_arousal(root: Path) -> None:
    rows = read(root)
    assert all(np.allclose(points, POINTS_68) for points in rows["landmarks"])
    assert list(rows["box"][0]) == [10, 12, 100, 110]
    assert rows["valence"].unique().tolist() == [0.25]
    assert rows["arousal"].unique().tolist() == [-0.5]


def test_points_belong_to_their_rows(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("openfer.datasets.affectnet_files._AT_ONCE", 3)
    files = {f"1/{number}.jpg": (8 if number % 3 == 0 else 1) for number in range(11)}
    root = affectnet_csv(tmp_path, files, {"2/a.jpg": 1})
    lines = [AFFECTNET_HEADER]
    for number, (file, code) in enumerate(files.items()):
        points = ";".join([str(number)] * 136) if number != 4 else ""
        lines.append(f"{file},1,2,3,4,{points},{code},0,0")
    write_text(root / "Manually_Annotated_file_lists/training.csv", *lines)
    rows = read(root)
    for path, points in zip(rows["path"], rows["landmarks"], strict=True):
        if "/1/" in path:
            number = int(Path(path).stem)
            assert points is None if number == 4 else (points == number).all()


def test_missing_valence_and_what_is_no_face(root: Path) -> None:
    lists = root / "Manually_Annotated_file_lists/training.csv"
    write_text(lists, AFFECTNET_HEADER, "0/a.jpg,NULL,NULL,NULL,NULL,NULL,10,-2,-2", affectnet_line("0/b.jpg", 3, -2))
    assert read(root)["path"].str.endswith("a.jpg").sum() == 0
    rows = read(root, unlabelled="keep").set_index("path").loc["Manually_Annotated_Images/0/a.jpg"]
    assert rows[["expression", "valence", "arousal", "landmarks", "box"]].isna().all()
    assert read(root).set_index("path").loc["Manually_Annotated_Images/0/b.jpg", ["valence"]].isna().all()


def test_rows_without_an_expression_are_kept_on_request(root: Path) -> None:
    assert len(read(root)) == 16
    assert len(read(root, unlabelled="keep")) == 22
    assert read(root, unlabelled="keep")["expression"].isna().sum() == 6


def test_seven_classes_leave_contempt_out(root: Path) -> None:
    assert len(read(root, classes=7)) == 14
    kept = read(root, classes=7, unlabelled="keep")
    assert len(kept) == 22
    assert set(kept["expression"].dropna()) == set(EXPRESSIONS) - {"contempt"}
    assert kept["valence"].notna().all()


def test_contempt_in_the_challenge_lists_counts_for_eight_classes_only(root: Path, caplog) -> None:
    write_text(root / "occlusion.txt", "val/0/test0/", "val/7/test7/", "val/7/test7/", "val/1/test1/")
    challenge = {"occlusion": "occlusion.txt"}

    def listed(**options) -> list[str]:
        rows = read(root, challenge=challenge, **options)
        return sorted(Path(path).stem for path in rows.loc[rows["subsets"].notna(), "path"])

    assert listed() == ["test0", "test1", "test7"]
    assert listed(classes=7) == listed(classes=7, unlabelled="keep") == ["test0", "test1"]
    assert not caplog.text


def test_the_later_layout_says_the_same(tmp_path: Path) -> None:
    root = affectnet_npy(tmp_path, {1: 0, 20: 7}, {0: 6})
    rows = read(root, layout="npy").set_index("path")
    assert rows["expression"].to_dict() == {
        "train_set/images/1.jpg": "neutral",
        "train_set/images/20.jpg": "contempt",
        "val_set/images/0.jpg": "anger",
    }
    assert rows["partition"].tolist() == ["train", "train", "test"]
    assert rows["valence"].unique().tolist() == [-0.75]
    assert rows["arousal"].isna().all()
    assert all(np.allclose(points, POINTS_68) for points in rows["landmarks"])
    assert len(read(root, layout="npy", classes=7)) == 2


def test_optional_array_files_may_be_missing(tmp_path: Path) -> None:
    root = affectnet_npy(tmp_path, {1: 0}, {0: 6})
    for short in ("val", "aro", "lnd"):
        (root / f"train_set/annotations/1_{short}.npy").unlink()
    row = read(root, layout="npy").set_index("path").loc["train_set/images/1.jpg"]
    assert row[["valence", "arousal", "landmarks"]].isna().all()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array("x"), "is no array of numbers"),
        (np.array([1, 2]), "holds 2 values instead of 1"),
        (np.array({"a": 1}, dtype=object), "is no array of numbers"),
        (np.array("11"), "holds the label 11"),
        (np.array("1.5"), "an integer is expected"),
    ],
)
def test_a_wrong_array_file_is_named(tmp_path: Path, value: np.ndarray, words: str) -> None:
    root = affectnet_npy(tmp_path, {1: 0}, {0: 6})
    np.save(root / "train_set/annotations/1_exp.npy", value, allow_pickle=True)
    with pytest.raises(DataError, match=words):
        read(root, layout="npy")


def test_a_truncated_array_file_is_named(tmp_path: Path) -> None:
    root = affectnet_npy(tmp_path, {1: 0}, {0: 6})
    place = root / "train_set/annotations/1_lnd.npy"
    place.write_bytes(place.read_bytes()[:200])
    with pytest.raises(DataError, match=r"1_lnd\.npy is no array"):
        read(root, layout="npy")


def test_an_image_without_annotation_is_named(tmp_path: Path) -> None:
    root = affectnet_npy(tmp_path, {1: 0, 2: 3}, {0: 6})
    (root / "train_set/annotations/2_exp.npy").unlink()
    with pytest.raises(DataError, match=r"lacks the annotations of 1 images of train_set, such as .*2\.jpg"):
        read(root, layout="npy")


def test_the_other_layout_is_recognised(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"set options\.layout to csv"):
        read(root, layout="npy")
    with pytest.raises(DataError, match=r"set options\.layout to npy"):
        read(affectnet_npy(tmp_path / "later", {1: 0}, {0: 6}))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"lacks training\.csv"):
        read(tmp_path / "empty")
    with pytest.raises(DataError, match="lacks train_set/annotations"):
        read(tmp_path / "empty", layout="npy")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (affectnet_line("0/x.jpg", 11), "holds the label 11"),
        (affectnet_line("0/x.jpg", 1, valence=3), "hold valence '3'"),
        (affectnet_line("../x.jpg", 1), "outside"),
        ("0/x.jpg,1,2,3,4,1;2;3,1,0,0", "not 68 points"),
        ("0/x.jpg,1,2,3,4," + ";".join(["a"] * 136) + ",1,0,0", "no numbers"),
        ("0/x.jpg,1,2,3,4," + ";".join(["1"] * 135) + ";,1,0,0", "have gaps"),
        ("0/x.jpg,1,2,3,4,,happy,0,0", "'happy'"),
        (",1,2,3,4,,1,0,0", "1 lines without a file"),
    ],
)
def test_a_wrong_line_is_named(root: Path, line: str, words: str) -> None:
    write_text(root / "Manually_Annotated_file_lists/training.csv", AFFECTNET_HEADER, line)
    with pytest.raises(DataError, match=words):
        read(root)


def test_another_table_is_refused_with_its_columns(root: Path) -> None:
    write_text(root / "Manually_Annotated_file_lists/training.csv", "file,label", "a.jpg,1")
    with pytest.raises(DataError, match=r"lacks the columns .*'subDirectory_filePath'.* it has \['file', 'label'\]"):
        read(root)


def test_the_published_counts_add_up() -> None:
    eight, seven = AffectNet().expected(), AffectNet({"classes": 7}).expected()
    assert eight.images == {"train": 287_651, "test": 4_000}
    assert seven.images == {"train": 283_901, "test": 3_500}
    for expected in (eight, seven):
        assert {side: sum(counts.values()) for side, counts in expected.classes.items()} == expected.images
    every = AffectNet({"unlabelled": "keep"}).expected()
    assert sum(every.images.values()) == 420_299
    assert AffectNet({"unlabelled": "keep", "classes": 7}).expected().images == every.images
    later = AffectNet({"layout": "npy"}).expected()
    assert later.images == {"train": 287_651, "test": 3_999}
    assert later.classes["test"]["contempt"] == 499
