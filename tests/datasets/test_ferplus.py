"""FER+'s reader: votes by row, the majority rule, and names that are no row numbers."""

from pathlib import Path

import numpy as np
import pytest

from openfer.datasets.readers.ferplus import FerPlus, majority
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.labels import EXPRESSIONS, FERPLUS
from tests.datasets.trees import write_text
from tests.datasets.trees_web import fer2013_csv, ferplus_votes

# FER+ left row 1 out when it numbered its names, so the names after it are behind their rows
VOTES = [
    ("Training", "fer0000000.png", (4, 0, 0, 1, 3, 2, 0, 0, 0, 0)),
    ("Training", "", (0, 0, 0, 0, 0, 0, 0, 0, 0, 10)),
    ("Training", "fer0000001.png", (0, 10, 0, 0, 0, 0, 0, 0, 0, 0)),
    ("PublicTest", "fer0000002.png", (0, 0, 6, 0, 0, 0, 4, 0, 0, 0)),
    ("PrivateTest", "fer0000003.png", (0, 0, 1, 0, 0, 0, 0, 8, 1, 0)),
    ("PrivateTest", "fer0000004.png", (0, 0, 0, 2, 0, 0, 0, 0, 8, 0)),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    fer2013_csv(tmp_path / "fer2013.csv", [(0, usage) for usage, _, _ in VOTES])
    ferplus_votes(tmp_path / "fer2013new.csv", VOTES)
    return tmp_path


def read(root: Path, **options):
    return FerPlus(options).read(Tree(root), "ferplus")


def naive(votes: np.ndarray) -> int:
    left = [int(vote) if vote != 1 else 0 for vote in votes]
    for place, vote in enumerate(left):
        if vote > sum(left) / 2:
            return place
    return -1


def test_the_majority_rule_is_the_naive_loop() -> None:
    generator = np.random.default_rng(0)
    shares = generator.dirichlet(np.full(10, 0.3), 3000)
    votes = np.stack([generator.multinomial(10, share) for share in shares])
    votes = np.concatenate([votes, np.eye(10, dtype=int), np.zeros((1, 10), int), [[5, 5, *[0] * 8]]])
    found = majority(votes)
    assert found.tolist() == [naive(vote) for vote in votes]
    assert 0.05 < (found == -1).mean() < 0.95


def test_labels_belong_to_rows_and_not_to_the_numbers_in_names(root: Path) -> None:
    rows = read(root, unlabelled="keep").set_index("frame")
    assert rows["expression"].dropna().to_dict() == {2: "happiness", 3: "surprise", 4: "contempt"}
    assert rows["partition"].to_dict() == {0: "train", 1: "train", 2: "train", 3: "val", 4: "test", 5: "test"}
    assert read(root)["frame"].tolist() == [2, 3, 4]


def test_votes_are_in_the_canonical_order(root: Path) -> None:
    rows = read(root, unlabelled="keep").set_index("frame")
    columns = list(FERPLUS)
    for row, (_, _, votes) in enumerate(VOTES):
        assert list(rows["votes"][row]) == [votes[columns.index(name)] for name in EXPRESSIONS]


def test_image_files_by_row_or_by_ferplus_name(root: Path) -> None:
    by_row = read(root, images="images/{row:05d}.png").set_index("path")["expression"]
    assert by_row.to_dict()["images/00004.png"] == "contempt"
    by_name = read(root, images="{folder}/{name}", unlabelled="keep").set_index("path")["expression"]
    assert by_name.to_dict()["FER2013Test/fer0000003.png"] == "contempt"
    assert by_name.to_dict()["FER2013Train/fer0000001.png"] == "happiness"
    assert len(by_name) == 5  # what FER+ calls no face has no name and no file


def test_an_image_without_a_ferplus_name_is_kept_where_its_row_names_the_file(root: Path) -> None:
    rows = read(root, images="{folder}/{row:05d}.png", unlabelled="keep").set_index("path")
    assert len(rows) == len(VOTES)
    assert rows.loc["FER2013Train/00001.png", ["expression"]].isna().all()


@pytest.mark.parametrize("images", ["", "images/{row:05d}.png", "{folder}/{name}"])
@pytest.mark.parametrize(("usage", "words"), [("Test", "the label Test "), ("", r"the label \(empty\) ")])
def test_an_unknown_usage_is_named(root: Path, images: str, usage: str, words: str) -> None:
    votes = [*VOTES[:-1], (usage, *VOTES[-1][1:])]
    fer2013_csv(root / "fer2013.csv", [(0, usage) for usage, _, _ in votes])
    ferplus_votes(root / "fer2013new.csv", votes)
    with pytest.raises(DataError, match=words + r"\(entry 6; .*PrivateTest = test"):
        read(root, images=images)


def test_lists_name_private_test_images_by_ferplus_name(root: Path) -> None:
    write_text(root / "pose.txt", "7/fer0000003.jpg", "7/fer0000003.jpg", "7_fer0000003.png 8 0")
    rows = read(root, challenge={"pose30": "pose.txt"}).set_index("frame")
    assert rows["subsets"].dropna().to_dict() == {4: ["pose30"]}
    write_text(root / "pose.txt", "7/fer0000001.jpg")  # a training image
    with pytest.raises(DataError, match="none of the 1 entries"):
        read(root, challenge={"pose30": "pose.txt"})


def test_votes_in_another_order_are_refused(root: Path) -> None:
    ferplus_votes(root / "fer2013new.csv", VOTES[::-1])
    with pytest.raises(DataError, match="votes belong to images by row"):
        read(root)
    ferplus_votes(root / "fer2013new.csv", VOTES[:-1])
    with pytest.raises(DataError, match=r"has 5 rows and fer2013\.csv 6"):
        read(root)


def test_wrong_votes_are_named(root: Path) -> None:
    for wrong, words in (("x", "'x'"), (-2, "negative")):
        ferplus_votes(root / "fer2013new.csv", [*VOTES[:-1], ("PrivateTest", "a.png", (wrong, *[0] * 9))])
        with pytest.raises(DataError, match=words):
            read(root)
    write_text(root / "fer2013new.csv", "Usage,neutral", "Training,1")
    with pytest.raises(DataError, match="lacks the columns"):
        read(root)


def test_the_expected_counts() -> None:
    assert sum(FerPlus({"unlabelled": "keep"}).expected().images.values()) == 35_887
    assert FerPlus().expected().images == {"train": 25_060, "val": 3_199, "test": 3_153}
    assert FerPlus({"images": "{folder}/{name}"}).expected().images == FerPlus().expected().images
    by_row = FerPlus({"images": "{row}.png", "unlabelled": "keep"}).expected()
    assert sum(by_row.images.values()) == 35_887
    assert not FerPlus({"images": "{folder}/{name}", "unlabelled": "keep"}).expected().images
