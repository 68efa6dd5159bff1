"""Datasets of one's own in the catalog."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from openfer.io.datasets import PictureDataset


def test_a_picture_is_shown_as_it_lies_on_disk(tmp_path: Path) -> None:
    picture = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    dataset = PictureDataset(filepath=str(tmp_path / "folder/sheet.png"))
    dataset.save(picture)
    shown = Image.open(io.BytesIO(base64.b64decode(dataset.preview())))
    assert (np.asarray(shown) == np.asarray(picture)).all()
    assert (np.asarray(dataset.load()) == np.asarray(picture)).all()
