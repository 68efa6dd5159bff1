"""The reader of one's own data: folders, or a table with its own column names and words."""

import os
import re
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from openfer.datasets.inventory import take_inventory
from openfer.datasets.readers.folder import Folder
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.faces.sources import source_images
from openfer.labels import EXPRESSIONS, RAF_DB
from tests.datasets.trees import write_image, write_text


def read(root: Path, **options):
    return Folder(options).read(Tree(root), "mine")


def table(root: Path, *lines: str, images: str = "") -> Path:
    """A table as people have it, with its images."""
    write_text(root / "labels.csv", *lines)
    for line in lines[1:]:
        write_image(root / images / line.split(",")[0])
    return root


def test_class_folders_with_usual_words(tmp_path: Path) -> None:
    for folder in ("Happy", "angry", "sadness", "Surprised", "fearful", "disgusted", "neutral", "contempt"):
        write_image(tmp_path / folder / "deep" / "1.JPG")
    rows = read(tmp_path)
    assert set(rows["expression"]) == set(EXPRESSIONS)
    assert rows["partition"].isna().all()
    assert set(rows["licence"]) == {"not stated"}
    assert rows.set_index("path")["expression"]["Happy/deep/1.JPG"] == "happiness"


def test_partition_folders(tmp_path: Path) -> None:
    for side in ("train", "Validation", "test"):
        write_image(tmp_path / "faces" / side / "happy" / "1.png")
    rows = read(tmp_path, images="faces")
    assert dict(zip(rows["path"].str.split("/").str[1], rows["partition"], strict=True)) == {
        "Validation": "val",
        "test": "test",
        "train": "train",
    }
    assert set(rows["expression"]) == {"happiness"}


def test_an_image_is_one_by_its_content_whatever_its_suffix(tmp_path: Path) -> None:
    whole = write_image(tmp_path / "happy/0.jpg").read_bytes()
    for name in ("1.jfif", "2.JPE", "3.heic", "4", "5.photo"):
        (tmp_path / "happy" / name).write_bytes(whole)
    (tmp_path / "happy/6.pic").write_bytes(b"\0\0\0\x18ftypheic")  # true HEIC is not decoded: quarantine says so
    write_text(tmp_path / "happy/notes.txt", "a list of photographs")
    write_text(tmp_path / "read_me", "BSD licence")
    found = read(tmp_path)["path"].tolist()
    assert found == [f"happy/{name}" for name in ("0.jpg", "1.jfif", "2.JPE", "3.heic", "4", "5.photo", "6.pic")]


def test_an_unknown_word_is_named_with_the_canonical_names_and_the_option(tmp_path: Path) -> None:
    write_image(tmp_path / "smiling/1.png")
    with pytest.raises(DataError, match=r"'smiling'.*; the names are neutral, happiness.*options\.labels"):
        read(tmp_path)
    assert read(tmp_path, labels={"Smiling": "happiness"})["expression"].tolist() == ["happiness"]
    assert read(tmp_path, labels={"smiling": None})["expression"].isna().all()


def test_an_image_outside_class_folders_is_named(tmp_path: Path) -> None:
    for bare in ("a.png", "train/a.png"):
        write_image(tmp_path / bare)
        with pytest.raises(DataError, match=r"a\.png lies in no class folder"):
            read(tmp_path)
        (tmp_path / bare).unlink()


def test_a_table_with_its_own_columns_and_words(tmp_path: Path) -> None:
    root = table(
        tmp_path,
        "file,who,face,years,sex,origin,split",
        "b.jpg,002,grin,71,female,white,testing",
        "a.jpg,001,Neutral,24,male,martian,train",
        "c.jpg,003,,NA,,,",
    )
    rows = read(
        root,
        table="labels.csv",
        columns={
            **{"path": "file", "subject": "who", "expression": "face", "age": "years"},
            **{"gender": "sex", "race": "origin", "partition": "split"},
        },
        labels={"grin": "happiness"},
        words={"race": {"white": "caucasian", "martian": None}, "age": {"NA": None}},
        licence="CC BY 4.0",
    ).set_index("path")
    assert rows.loc["b.jpg", ["subject", "expression", "age", "gender", "race", "partition", "licence"]].tolist() == [
        *("002", "happiness", "70+", "female", "caucasian", "test", "CC BY 4.0")
    ]
    assert rows.loc["a.jpg", ["subject", "expression", "age"]].tolist() == ["001", "neutral", "20-39"]
    assert rows.loc["a.jpg", ["race"]].isna().all()
    assert rows.loc["c.jpg", ["expression", "age", "gender", "race", "partition"]].isna().all()


def test_ages_fall_into_the_contract_s_groups(tmp_path: Path) -> None:
    ages = {
        "0": "0-3",
        "3.5": "0-3",
        "4": "4-19",
        "19": "4-19",
        "20": "20-39",
        "69": "40-69",
        "70": "70+",
        "4-19": "4-19",
    }
    root = table(tmp_path, "path,age", *(f"{number}.png,{age}" for number, age in enumerate(ages)))
    rows = read(root, table="labels.csv", columns={"path": "path", "age": "age"}).set_index("path")
    assert [rows["age"][f"{number}.png"] for number in range(len(ages))] == list(ages.values())


@pytest.mark.parametrize("count", [4, 10])
def test_pupils_or_five_points_come_from_columns(tmp_path: Path, count: int) -> None:
    names = [f"p{number}" for number in range(count)]
    values = ",".join(f"{number}.5" for number in range(count))
    root = table(tmp_path, f"path,{','.join(names)}", f"a.png,{values}", f"b.png{',' * count}")
    rows = read(root, table="labels.csv", columns={"path": "path"}, points=names)
    assert list(rows["landmarks"][0]) == [number + 0.5 for number in range(count)]
    assert rows["landmarks"][1] is None


def test_numbers_come_from_columns(tmp_path: Path) -> None:
    root = table(tmp_path, "path,v,a,n", "a.png,-0.5,1,7", "b.png,,,")
    rows = read(root, table="labels.csv", columns={"path": "path", "valence": "v", "arousal": "a", "frame": "n"})
    assert rows.loc[0, ["valence", "arousal", "frame"]].tolist() == [-0.5, 1, 7]
    assert rows.loc[1, ["valence", "arousal", "frame"]].isna().all()


def test_paths_may_start_from_a_folder(tmp_path: Path) -> None:
    root = table(tmp_path, "path,expression", "a.png,happy", images="faces")
    with pytest.raises(DataError, match=r"such as a\.png: faces/a\.png is there .*; set options\.images"):
        read(root, table="labels.csv")
    assert read(root, table="labels.csv", images="faces")["path"].tolist() == ["faces/a.png"]


@pytest.mark.parametrize(
    ("listed", "there"),
    [
        ("img/0.bmp", "img/0.png"),
        ("IMG/0.PNG", "img/0.png"),
        ("img/0", "img/0.png"),
        ("/home/someone/data/img/0.png", "img/0.png"),
        ("D:\\data\\img\\0.png", "img/0.png"),
        ("0.jpg", "img/0_aligned.jpg"),
    ],
)
def test_a_list_that_nearly_matches_names_the_file_and_the_option_that_takes_it(
    tmp_path: Path, listed: str, there: str
) -> None:
    write_image(tmp_path / there)
    write_text(tmp_path / "labels.csv", "path,expression", f"{listed},happy")
    words = rf"{re.escape(there)} is there.*options\.nearest|outside.*{re.escape(there)} is there"
    with pytest.raises(DataError, match=words):
        read(tmp_path, table="labels.csv")
    rows = read(tmp_path, table="labels.csv", nearest=True)
    assert rows[["path", "expression"]].to_numpy().tolist() == [[there, "happiness"]]


def test_of_two_files_that_are_as_near_none_is_taken(tmp_path: Path) -> None:
    for name in ("a/0.png", "b/0.png"):
        write_image(tmp_path / name)
    write_text(tmp_path / "labels.csv", "path,expression", "0.png,happy", "a/0.jpg,sad")
    rows = read(tmp_path, table="labels.csv", nearest=True)
    assert rows["path"].tolist() == ["0.png", "a/0.png"]


def test_a_line_per_face_is_a_row_per_face_by_its_box_or_its_points(tmp_path: Path) -> None:
    head = "path,expression,l,t,r,b,x1,y1,x2,y2"
    root = table(tmp_path, head, "a.png,happy,0,0,20,30,5,9,15,9", "a.png,sad,20,2,40,32,25,9,35,9")
    with pytest.raises(DataError, match=r"2 rows of 1 images more than once.*its box or points .*options\.box"):
        read(root, table="labels.csv")
    boxes = read(root, table="labels.csv", box={"left": "l", "top": "t", "right": "r", "bottom": "b"})
    assert {tuple(box): name for box, name in zip(boxes["box"], boxes["expression"], strict=True)} == {
        (0, 0, 20, 30): "happiness",
        (20, 2, 20, 30): "sadness",
    }
    assert boxes["sample_id"].nunique() == 2
    points = read(root, table="labels.csv", points=["x1", "y1", "x2", "y2"])
    assert points["sample_id"].nunique() == 2
    sizes = read(root, table="labels.csv", box={"left": "l", "top": "t", "width": "r", "height": "b"})
    assert sorted(map(tuple, sizes["box"])) == [(0, 0, 20, 30), (20, 2, 40, 32)]


@pytest.mark.parametrize(
    ("folders", "side", "word"),
    [
        ("images/train/happy", "train", "happiness"),
        ("data/validation/happy", "val", "happiness"),
        ("train_class/happy", "train", "happiness"),
        ("PublicTest/happy", "val", "happiness"),
        ("happy/test", "test", "happiness"),
        ("happy", None, "happiness"),
    ],
)
def test_words_for_sides_in_circulation(tmp_path: Path, folders: str, side: str | None, word: str) -> None:
    write_image(tmp_path / folders / "0.png")
    rows = read(tmp_path)
    assert rows["expression"].tolist() == [word]
    assert rows["partition"].dropna().tolist() == ([side] if side else [])


def test_an_option_names_sides(tmp_path: Path) -> None:
    write_image(tmp_path / "fold1/happy/0.png")
    write_image(tmp_path / "trainable/happy/0.png")
    rows = read(tmp_path, partitions={"fold1": "train", "trainable": "test"})
    assert rows["partition"].tolist() == ["train", "test"]
    root = table(tmp_path / "t", "path,expression,side", "a.png,happy,A", "b.png,sad,B", "c.png,sad,Public Test")
    columns = {"path": "path", "expression": "expression", "partition": "side"}
    with pytest.raises(DataError, match=r"'A' is not a known partition.*options\.partitions"):
        read(root, table="labels.csv", columns=columns)
    rows = read(root, table="labels.csv", columns=columns, partitions={"a": "train", "B": "test"})
    assert rows["partition"].tolist() == ["train", "test", "test"]


def test_lights_and_poses_have_names_of_one_s_own(tmp_path: Path) -> None:
    lines = [f"{number}.png,A+{number:03d}E+00,P{number % 3}" for number in range(64)]
    root = table(tmp_path, "path,light,view", *lines)
    columns = {"path": "path", "illumination": "light", "pose": "view"}
    rows = read(root, table="labels.csv", columns=columns, words={"pose": {"p0": "frontal"}})
    assert rows["illumination"].nunique() == 64
    assert set(rows["pose"]) == {"frontal", "P1", "P2"}


def test_a_whole_number_that_a_program_wrote_with_a_point_is_that_number(tmp_path: Path) -> None:
    root = table(tmp_path, "path,expression", "a.png,0.0", "b.png,1")
    rows = read(root, table="labels.csv", labels={0: "neutral", 1: "happiness"})
    assert rows["expression"].tolist() == ["neutral", "happiness"]


def test_accents_are_compared_and_the_file_s_own_bytes_are_kept(tmp_path: Path) -> None:
    decomposed, composed = (unicodedata.normalize(form, "jos\u00e9") for form in ("NFD", "NFC"))
    write_image(tmp_path / f"{decomposed}/{decomposed}.png")
    write_text(tmp_path / "labels.csv", "path,expression", f"{composed}/{composed}.png,happy")
    assert read(tmp_path, table="labels.csv")["path"].tolist() == [f"{decomposed}/{decomposed}.png"]
    assert read(tmp_path, labels={composed: "happiness"})["expression"].tolist() == ["happiness"]


def test_odd_names_are_names(tmp_path: Path) -> None:
    names = [" blank.png", "img:1.png", "a b.png", f"{'x' * 240}.png", "#1.png", "100%.png"]
    root = table(tmp_path, "path,expression", *(f"{name},happy" for name in names))
    assert sorted(read(root, table="labels.csv")["path"]) == sorted(names)


def test_a_name_that_is_not_utf_8_is_a_row_whose_image_is_read(tmp_path: Path) -> None:
    (tmp_path / "happy").mkdir()
    content = write_image(tmp_path / "a.png").read_bytes()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/happy/jos\xe9.png")).write_bytes(content)
    (tmp_path / "a.png").unlink()
    tree = Tree(tmp_path)
    rows = Folder().read(tree, "mine")
    rows["path"].str.encode("utf-8")  # tables hold it
    files = pd.concat(list(take_inventory(tree)))
    assert files["path"].tolist() == rows["path"].tolist()
    (image,) = source_images(tmp_path, rows, 1)
    assert image.pixels.shape == (48, 40, 3)
    (tmp_path / "happy/\uf7e9.png").write_bytes(content)  # a name with the character that stands for the byte
    assert len(pd.concat(list(take_inventory(Tree(tmp_path)))).dropna()) == 2
    (tmp_path / "happy/\uf7e9.png").unlink()
    write_text(tmp_path / "labels.csv", "path,expression", "happy/jos\u00e9.png,sad")
    assert read(tmp_path, table="labels.csv")["path"].tolist() == rows["path"].tolist()


def test_a_person_or_a_class_may_be_called_like_nothing(tmp_path: Path) -> None:
    root = table(tmp_path, "path,expression,who,v", "a.png,None,Null,NA", "b.png,, ,nan")
    columns = {"path": "path", "expression": "expression", "subject": "who", "valence": "v"}
    with pytest.raises(DataError, match=r"'None' .*options\.labels"):
        read(root, table="labels.csv", columns=columns)
    rows = read(root, table="labels.csv", columns=columns, labels={"none": "neutral"})
    assert rows.loc[0, ["expression", "subject"]].tolist() == ["neutral", "Null"]
    assert rows.loc[1, ["expression", "subject"]].isna().all()
    assert rows["valence"].isna().all()


def test_a_table_saved_with_semicolons_says_so(tmp_path: Path) -> None:
    write_text(tmp_path / "labels.csv", "path;expression", "a.png;happy")
    with pytest.raises(DataError, match=r"labels\.csv .*semicolons: save it with commas"):
        read(tmp_path, table="labels.csv")


def test_numbers_as_labels_are_those_of_the_folders_and_of_a_table(tmp_path: Path) -> None:
    options = yaml.safe_load("{labels: {1: surprise, 2: null}, words: {gender: {0: male, 1: female}}}")
    write_image(tmp_path / "folders/1/a.png")
    write_image(tmp_path / "folders/2/b.png")
    found = read(tmp_path, images="folders", **options).set_index("path")["expression"]
    assert found.dropna().to_dict() == {"folders/1/a.png": "surprise"}
    root = table(tmp_path, "path,expression,gender", "a.png,1,0", "b.png,2,1")
    columns = {"path": "path", "expression": "expression", "gender": "gender"}
    rows = read(root, table="labels.csv", columns=columns, **options)
    assert rows["expression"].dropna().tolist() == ["surprise"]
    assert rows["gender"].tolist() == ["male", "female"]


def test_the_docs_options_read_the_copy_of_raf_db_in_numbered_folders(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/data.md").read_text()
    line = next(line for line in page.splitlines() if line.strip().startswith("options: {images: DATASET"))
    for side in ("train", "test"):
        for code in RAF_DB:
            write_image(tmp_path / f"DATASET/{side}/{code}/{side}_{code:05d}_aligned.jpg", (100, 100))
    write_text(tmp_path / "train_labels.csv", "image,label", "train_00001_aligned.jpg,1")
    rows = read(tmp_path, **yaml.safe_load(line)["options"])
    codes = rows["path"].str.split("/").str[2].astype(int)
    assert rows["expression"].tolist() == codes.map(RAF_DB).tolist()
    assert rows["partition"].tolist() == rows["path"].str.split("/").str[1].tolist()
    assert len(rows) == 14


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("valence", "5", r"holds 5\.0 in valence.*in_range\(-1, 1\)"),
        ("frame", "1.5", r"holds 1\.5 in frame.* a frame is a whole number"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_count(tmp_path: Path, column: str, value: str, rule: str) -> None:
    root = table(tmp_path, "path,n", "a.png,0", f"b.png,{value}", f"c.png,{value}")
    words = rf"mine \(.*{rule}"
    with pytest.raises(DataError, match=words) as error:
        read(root, table="labels.csv", columns={"path": "path", column: "n"})
    assert "of b.png (2 of 3 rows do not fit)" in str(error.value)
    assert "correct the list" in str(error.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("x.png,grin,20,1", "'grin'"),
        ("x.png,happy,old,1", r"'old' is not a known age.* options\.words\.age"),
        ("x.png,happy,20,left", "'left' in v"),
        ("../x.png,happy,20,1", "outside"),
        (",happy,20,1", "1 lines without a path"),
        ("a.png,happy,20,1", "more than once"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    root = table(tmp_path, "path,expression,age,v", "a.png,happy,20,0")
    with (root / "labels.csv").open("a") as file:
        file.write(line + "\n")
    columns = {"path": "path", "expression": "expression", "age": "age", "valence": "v"}
    with pytest.raises(DataError, match=words):
        read(root, table="labels.csv", columns=columns)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    root = table(tmp_path, "file,label", "a.png,happy")
    with pytest.raises(DataError, match=r"lacks the columns \['path', 'expression'\], it has \['file', 'label'\]"):
        read(root, table="labels.csv")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"labels": {"grin": "joy"}}, "are not expressions"),
        ({"words": {"race": {"white": "white"}}}, "are no names of race"),
        ({"points": ["x", "y"]}, "4 columns"),
        ({"table": "labels.csv", "columns": {"expression": "label"}}, "which column is the path"),
        ({"columns": {"emotion": "label"}}, "columns"),
    ],
)
def test_wrong_options_are_refused(options: dict, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Folder(options)


def test_nothing_is_expected() -> None:
    assert not Folder().expected().images
