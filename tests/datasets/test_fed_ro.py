"""FED-RO's reader: a folder per expression, for testing only."""

from pathlib import Path

import pytest

from openfer.datasets.readers.fed_ro import FedRo
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from tests.datasets.trees import write_image

FOLDERS = {"neural": "neutral", "Happy": "happiness", "sad": "sadness", "anger": "anger", "Surprised": "surprise"}


@pytest.mark.parametrize("above", ["", "FED-RO/images/"])
def test_folders_are_expressions_and_all_is_test(tmp_path: Path, above: str) -> None:
    for number, folder in enumerate(FOLDERS):
        write_image(tmp_path / above / folder / f"{number}.jpg")
    rows = FedRo().read(Tree(tmp_path), "fed_ro").set_index("path")
    expected = {f"{above}{folder}/{number}.jpg": name for number, (folder, name) in enumerate(FOLDERS.items())}
    assert rows["expression"].to_dict() == expected
    assert set(rows["partition"]) == {"test"}


def test_another_folder_is_named_with_the_known_ones(tmp_path: Path) -> None:
    write_image(tmp_path / "contempt/1.jpg")
    with pytest.raises(DataError, match=r"holds the label contempt .*neural = neutral"):
        FedRo().read(Tree(tmp_path), "fed_ro")


def test_an_image_outside_the_folders_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "anger/1.jpg")
    write_image(tmp_path / "overview.png")
    with pytest.raises(DataError, match=r"overview\.png lies in no folder of an expression .*move it"):
        FedRo().read(Tree(tmp_path), "fed_ro")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no image of fed_ro"):
        FedRo().read(Tree(tmp_path), "fed_ro")


def test_the_published_count() -> None:
    assert FedRo().expected().images == {"test": 400}
