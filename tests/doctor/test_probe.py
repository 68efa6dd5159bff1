"""Which images the doctor decodes, and what it learns from them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from openfer.doctor.probe import probe, sample_faces
from tests.datasets.trees_lab import write_video
from tests.datasets.trees_web import fer2013_csv
from tests.doctor.copies import Copy

FILE = "fer2013.csv"


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy.perfect(tmp_path)


def table_of(frames: list[int | None], path: str) -> pd.DataFrame:
    return pd.DataFrame({"path": path, "frame": pd.array(frames, "Int64")})


def test_every_image_that_is_there_is_decoded(copy: Copy) -> None:
    copy.image(0).unlink()
    copy.image(1).write_bytes(b"no image")
    probed = probe(copy.rows, copy.files, copy.root, 1000, 0, 1).set_index("path")
    assert len(probed) == 11
    assert probed.drop("train/happy1.png")[["width", "height"]].drop_duplicates().to_numpy().tolist() == [[40, 48]]
    assert probed.loc["train/happy1.png", "problem"] == 'not an image (starts with "no image")'


def test_every_row_of_a_table_is_an_image(tmp_path: Path) -> None:
    fer2013_csv(tmp_path / FILE, [(0, "Training")] * 5)
    text = (tmp_path / FILE).read_text().splitlines()
    text[4] = text[4].replace(" ", ",", 1)
    (tmp_path / FILE).write_text("\n".join(text))
    probed = probe(table_of([0, 1, 2, 3, 4], FILE), pd.DataFrame({"path": [FILE]}), tmp_path, 1000, 0, 1)
    assert probed["problem"].notna().tolist() == [False, False, False, True, False]
    assert probed["frame"].tolist() == [0, 1, 2, 3, 4]


def test_frames_of_a_video_are_images(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", 5)
    probed = probe(table_of([1, 3, 9], "a.avi"), pd.DataFrame({"path": ["a.avi"]}), tmp_path, 1000, 0, 1)
    assert probed["width"].tolist()[:2] == [64, 64]
    assert "ends after 5 frames" in probed["problem"].iloc[2]


def test_of_a_large_set_a_sample_is_decoded_the_same_each_time(copy: Copy) -> None:
    rows, files = copy.rows, copy.files
    some = probe(rows, files, copy.root, 5, 0, 1)
    assert len(some) == 5
    assert some["path"].is_monotonic_increasing
    pd.testing.assert_frame_equal(some, probe(rows, files, copy.root, 5, 0, 1))
    assert not some.equals(probe(rows, files, copy.root, 5, 1, 1))


def test_sample_faces_are_whole_images_of_each_class(copy: Copy) -> None:
    copy.image(0).write_bytes(b"")
    rows = copy.rows
    faces = sample_faces(rows, copy.files, copy.root, 100, 0)
    assert {name: len(images) for name, images in faces.items()} == {"happiness": 7, "sadness": 4}
    assert all(image.shape == (48, 40, 3) and image.dtype == np.uint8 for _, image in faces["sadness"])
    assert len(sample_faces(rows, copy.files, copy.root, 3, 0)["sadness"]) == 3
