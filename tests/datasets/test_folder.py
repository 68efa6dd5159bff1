"""The reader of one's own data: folders, or a table with its own column names and words."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from openfer.datasets.readers.folder import Folder
from openfer.datasets.tree import Tree
from openfer.errors import DataError
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


def test_an_unknown_word_is_named_with_the_canonical_names_and_the_option(tmp_path: Path) -> None:
    write_image(tmp_path / "smiling/1.png")
    with pytest.raises(DataError, match=r"'smiling'.* the names are neutral, happiness.*options\.labels"):
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
    with pytest.raises(DataError, match=r"such as a\.png; set options\.images"):
        read(root, table="labels.csv")
    assert read(root, table="labels.csv", images="faces")["path"].tolist() == ["faces/a.png"]


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
        ("x.png,happy,old,1", r"age 'old'.* options\.words\.age"),
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
        ({"labels": {"grin": "joy"}}, "are no expressions"),
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
