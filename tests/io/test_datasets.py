"""Datasets of one's own in the catalog."""

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from PIL import Image

from openfer.cli import readable
from openfer.io.datasets import AnimationDataset, FeatureTableDataset, PictureDataset


def test_a_picture_is_shown_as_it_lies_on_disk(tmp_path: Path) -> None:
    picture = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    dataset = PictureDataset(filepath=str(tmp_path / "folder/sheet.png"))
    dataset.save(picture)
    shown = Image.open(io.BytesIO(base64.b64decode(dataset.preview())))
    assert (np.asarray(shown) == np.asarray(picture)).all()
    assert (np.asarray(dataset.load()) == np.asarray(picture)).all()


def test_an_animation_keeps_its_pictures_and_their_order(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (5, 4), (60 * number, 0, 0)) for number in range(4)]
    dataset = AnimationDataset(filepath=str(tmp_path / "folder/moving.gif"), milliseconds=120)
    assert not dataset.exists()
    dataset.save(pictures)
    assert dataset.exists()
    found = dataset.load()
    assert [own.getpixel((2, 2))[0] for own in found] == [0, 60, 120, 180]
    with Image.open(tmp_path / "folder/moving.gif") as animation:
        assert (animation.info["duration"], animation.info["loop"]) == (120, 0)
    assert list((tmp_path / "folder").iterdir()) == [tmp_path / "folder/moving.gif"]


def test_a_table_that_another_pipeline_makes_is_missed_with_its_command(tmp_path: Path) -> None:
    path = tmp_path / "landmarks.parquet"
    dataset = FeatureTableDataset(filepath=str(path), made_by="kedro run --pipelines landmarks --params dataset=mine")
    with pytest.raises(DatasetError) as caught:
        dataset.load()
    assert readable(caught.value).startswith("DataError: ")
    assert "is not there; make it by `kedro run --pipelines landmarks --params dataset=mine`" in readable(caught.value)
    dataset.save(pd.DataFrame({"sample_id": ["a"]}))
    assert dataset.load()["sample_id"].tolist() == ["a"]
