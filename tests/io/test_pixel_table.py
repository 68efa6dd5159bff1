"""Images that are rows of a CSV file."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from openfer.errors import DataError
from openfer.io import pixel_table
from openfer.io.pixel_table import PixelTable


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 4, 4), dtype=np.uint8)


def write(path: Path, lines: list[str], end: str = "\n") -> Path:
    path.write_bytes(end.join(lines).encode())
    return path


def table(path: Path, end: str = "\n", last: str | None = "") -> Path:
    rows = [f"{row},{' '.join(map(str, image.ravel()))},Training" for row, image in enumerate(images(5))]
    return write(path, ["emotion,pixels,Usage", *rows, *([last] if last is not None else [])], end)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [None, "", "\n\n"])
def test_every_row_is_its_image_in_any_order(tmp_path: Path, end: str, last: str, monkeypatch) -> None:
    monkeypatch.setattr(pixel_table, "_BLOCK", 64)  # lines cross the borders of blocks
    found = PixelTable(table(tmp_path / "fer.csv", end, last), side=4)
    assert len(found) == 5
    for row in (3, 0, 4, 1, 2, 3):
        np.testing.assert_array_equal(found[row], images(5)[row])
    assert found[0].dtype == np.uint8


def test_columns_are_found_by_name_with_blanks_and_quotes(tmp_path: Path) -> None:
    pixels = " ".join(map(str, images(1)[0].ravel()))
    path = write(tmp_path / "fer.csv", ["emotion, Usage, pixels", f'0, Training,"{pixels}"'])
    np.testing.assert_array_equal(PixelTable(path, side=4)[0], images(1)[0])


def test_a_table_can_be_sent_to_another_process(tmp_path: Path) -> None:
    found = pickle.loads(pickle.dumps(PixelTable(table(tmp_path / "fer.csv"), side=4)))
    np.testing.assert_array_equal(found[4], images(5)[4])


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        ("1 2 3", "3 pixels instead of 16"),
        (" ".join(["256"] * 16), "256 to 256"),
        (" ".join(["-1"] * 16), "-1 to -1"),
        (" ".join(["x"] * 16), "cannot be read"),
        (" ".join(["9" * 30] * 16), "cannot be read"),
    ],
)
def test_a_damaged_row_is_named(tmp_path: Path, pixels: str, words: str) -> None:
    path = write(tmp_path / "fer.csv", ["emotion,pixels,Usage", f"0,{pixels},Training"])
    with pytest.raises(DataError, match=f"row 0 of .*{words}"):
        _ = PixelTable(path, side=4)[0]


def test_a_truncated_last_row_is_named(tmp_path: Path) -> None:
    path = table(tmp_path / "fer.csv")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"row 4 of .* damaged"):
        _ = PixelTable(path, side=4)[4]


@pytest.mark.parametrize("row", [5, -1])
def test_a_row_that_is_not_there_is_refused(tmp_path: Path, row: int) -> None:
    with pytest.raises(DataError, match="it has 5 rows"):
        _ = PixelTable(table(tmp_path / "fer.csv"), side=4)[row]


def test_a_table_without_pixels_or_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of them is `pixels`"):
        PixelTable(write(tmp_path / "labels.csv", ["emotion,Usage", "0,Training"]))
    with pytest.raises(DataError, match="is empty"):
        PixelTable(write(tmp_path / "empty.csv", [""]))
    with pytest.raises(DataError, match="does not exist"):
        PixelTable(tmp_path / "nowhere.csv")


def test_a_line_that_is_no_line_of_a_table_is_named(tmp_path: Path) -> None:
    lines = ["emotion,pixels,Usage", f"0,{'9' * 200_000},Training", "0,1\r2,Training"]
    found = PixelTable(write(tmp_path / "fer.csv", lines), side=4)
    with pytest.raises(DataError, match=r"line 2 of .* cannot be read: it has 200012 bytes"):
        _ = found[0]
    with pytest.raises(DataError, match=r"line 3 of .* cannot be read: new-line character"):
        _ = found[1]
