"""Every kind of finding appears when it should, and a perfect copy has none that is bad."""

import shutil
from pathlib import Path

import pytest

from openfer.datasets.contract import Expected
from openfer.doctor.findings import class_counts, examine, verdict
from openfer.doctor.probe import probe, sample_faces
from tests.datasets.trees import write_image
from tests.doctor.copies import EXPECTED, Copy, bad


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy.perfect(tmp_path)


def test_a_perfect_copy_is_the_expected_one(copy: Copy) -> None:
    findings = copy.findings()
    assert set(findings["level"]) == {"good"}
    assert verdict("our set", findings) == "This is the expected copy of our set: 9 comparisons hold."


def test_missing_images_are_counted_and_named(copy: Copy) -> None:
    for number in (0, 9):
        copy.image(number).unlink()
    findings = copy.findings()
    assert bad(findings) == {"listed images that are not there": "2: test/happy1.png, train/happy0.png"}
    assert findings.set_index("check").loc["images that cannot be read", "found"] == "none of 10 decoded (all)"


def test_files_of_one_s_own_set_that_are_no_images_are_a_note_and_lists_are_not(copy: Copy) -> None:
    findings = copy.findings(Expected())
    assert "files that no row is of" not in bad(findings, "note")
    (copy.image(3).parent / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    found = bad(copy.findings(Expected()), "note")["files that no row is of"]
    assert found == "2: .csv (1), .mp4 (1); such as labels.csv, train/clip.mp4"


def test_a_copy_without_any_listed_image_says_so_first_and_names_what_is_there(copy: Copy) -> None:
    for line in copy.lines:
        old = Path(line[0])
        (copy.root / old).rename(copy.root / "train" / f"{old.parent.name}_{old.stem}_aligned.png")
        line[0] = f"Image/{old.parent.name}_{old.stem}.jpg"
    near = "train/test_happy0_aligned.png is there for Image/test_happy0.jpg (12 of 12 are alike)"
    rows = copy.rows_as_listed()
    findings = examine(rows, copy.files, probe(rows, copy.files, copy.root, 1000, 0, 1), EXPECTED)
    assert bad(findings)["listed images that are not there"].startswith("all 12: Image/test_happy0.jpg")
    said = verdict("our set", findings)
    assert "The first: listed images that are not there" in said
    assert near in said
    assert sample_faces(rows, copy.files, copy.root, 2, 0) == {}


def test_an_archive_in_the_place_of_images_is_to_be_unpacked(copy: Copy) -> None:
    for number in range(12):
        copy.image(number).unlink()
    (copy.root / "images.part1.rar").write_bytes(b"Rar!")
    rows = copy.rows_as_listed()
    findings = examine(rows, copy.files, probe(rows, copy.files, copy.root, 1000, 0, 1), EXPECTED)
    assert "there is an archive, images.part1.rar: unpack it" in verdict("our set", findings)


def test_an_empty_file_is_a_problem_of_the_copy_and_of_the_image(copy: Copy) -> None:
    copy.image(2).write_bytes(b"")
    assert bad(copy.findings()) == {
        "empty files": "1: train/happy2.png",
        "images that cannot be read": "1 of 12 decoded (all)",
    }


def test_a_damaged_image_is_named_with_its_damage(copy: Copy) -> None:
    content = copy.image(3).read_bytes()
    copy.image(3).write_bytes(content[: len(content) // 2])
    copy.image(4).write_text("<!DOCTYPE html>")
    findings = copy.findings()
    assert bad(findings) == {"images that cannot be read": "2 of 12 decoded (all)"}
    meaning = findings.set_index("check").loc["images that cannot be read", "meaning"]
    assert "truncated PNG (1)" in meaning
    assert "not an image" in meaning
    assert "such as train/happy3.png" in meaning


def test_swapped_labels_show_in_the_counts(copy: Copy) -> None:
    for line in copy.lines:
        line[1] = {"happy": "sad", "sad": "happy"}[line[1]]
    assert bad(copy.findings()) == {"happiness of train": "2", "sadness of train": "6"}
    counts = class_counts(copy.rows, EXPECTED).set_index(["partition", "label"])
    assert counts.loc[("train", "happiness")].tolist() == [2, 6]
    assert counts.loc[("test", "sadness")].tolist() == [2, 2]


def test_an_incomplete_list_shows_in_rows_classes_and_people(copy: Copy) -> None:
    copy.lines = [line for line in copy.lines if line[3] != "train2"]
    assert bad(copy.findings()) == {
        "rows of train": "6",
        "happiness of train": "4",
        "subjects": "4",
    }


def test_a_class_that_should_not_be_there_is_a_problem(copy: Copy) -> None:
    copy.lines[0][1] = "fear"
    assert bad(copy.findings()) == {"happiness of train": "5", "fear of train": "1"}


def test_copies_across_sides_and_with_different_labels_are_told(copy: Copy) -> None:
    shutil.copy(copy.image(0), copy.image(1))  # train, happy, both
    shutil.copy(copy.image(2), copy.image(10))  # train, happy; test, sad
    findings = copy.findings()
    assert bad(findings) == {}
    notes = bad(findings, "note")
    assert notes["images that occur twice"].startswith("4: test/sad0.png, train/happy0.png, ")
    assert notes["images on two sides"] == "1 group"
    assert notes["equal images with different labels"] == "1 group"
    pair = findings.set_index("check").loc["equal images with different labels", "meaning"]
    assert pair == "test/sad0.png is sadness, train/happy2.png is happiness"
    assert verdict("our set", findings).endswith(
        "3 things to know: images that occur twice, images on two sides, equal images with different labels."
    )


def test_wrong_sizes_are_told_with_how_many(copy: Copy) -> None:
    write_image(copy.image(5), (32, 32))
    assert bad(copy.findings()) == {"image sizes": "40x48 (11), 32x32 (1)"}


def test_missing_landmarks_are_counted(copy: Copy) -> None:
    copy.lines[7][4:] = [""] * 4
    assert bad(copy.findings()) == {"rows without landmarks": "1"}


def test_one_expression_only_is_worth_knowing(copy: Copy) -> None:
    for line in copy.lines:
        line[1] = "happy"
    assert bad(copy.findings(Expected()), "note") == {"expressions": "happiness only"}


def test_unknown_people_and_missing_labels_are_worth_knowing(copy: Copy) -> None:
    for line in copy.lines:
        line[3] = ""
    copy.lines[0][1] = ""
    notes = bad(copy.findings(Expected()), "note")
    assert notes == {"subjects": "unknown", "rows without an expression": "1 of 12"}


def test_where_nothing_is_published_no_copy_is_called_expected(copy: Copy) -> None:
    words = verdict("own data", copy.findings(Expected()))
    assert words == "Nothing is published to compare own data with; the copy itself is whole."
    copy.image(0).unlink()
    assert verdict("own data", copy.findings(Expected())).startswith("This copy of own data is damaged: ")


def test_the_first_problem_is_in_the_verdict(copy: Copy) -> None:
    copy.lines.pop()
    words = verdict("our set", copy.findings())
    assert words.startswith("This is NOT the expected copy of our set: 2 of ")
    assert "The first: rows of test: found 3, expected 4" in words
