"""`align: detect` over a folder of images, by each detector."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from openfer.errors import ParameterError
from openfer.faces.align_set import _find_faces, align_set
from openfer.faces.config import FacesConfig
from openfer.faces.template import template_points
from openfer.io.atomic import sha256_of
from openfer.io.face_store import FaceStore

SIZE = 96


@pytest.fixture(scope="module")
def tree(tiny_faces, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """Three rendered faces, enlarged and turned a little, and a black image; and their rows."""
    root = tmp_path_factory.mktemp("tree")
    for number in range(3):
        ground = Image.new("RGB", (500, 400), (90, 100, 110))
        face = Image.fromarray(tiny_faces.store.image(number * 7)).resize((240, 240), Image.Resampling.BICUBIC)
        ground.paste(face, (60 + 60 * number, 80))
        ground.rotate(5 * number).save(root / f"{number}.png")
    Image.new("RGB", (500, 400)).save(root / "3.png")
    names = [f"{number}" for number in range(4)]
    rows = {"sample_id": names, "path": [f"{name}.png" for name in names]}
    return root, pd.DataFrame(rows | {"frame": None, "landmarks": None, "box": None})


@pytest.mark.parametrize("detector", ["mediapipe", "mtcnn"])
def test_rows_become_faces_at_the_template_or_have_a_reason(tree, tmp_path: Path, detector: str) -> None:
    if detector == "mtcnn":
        pytest.importorskip("facenet_pytorch")
    root, rows = tree
    config = FacesConfig(align="detect", detector=detector, size=SIZE, workers=1)
    faces, quarantine = align_set([rows], len(rows), root, config, tmp_path, "tree")
    table = FaceStore(faces).table(["sample_id", "points5", "detection_score"])
    assert table["sample_id"].tolist() == ["0", "1", "2"]
    assert (table["detection_score"] > 0.9).all()
    off = np.stack(table["points5"]).reshape(-1, 5, 2) - template_points(SIZE)
    assert np.linalg.norm(off, axis=2).max() < 0.1 * SIZE
    assert quarantine["reason"].tolist() == ["no face found"]


def test_the_stored_bytes_do_not_depend_on_the_number_of_threads(tree, tmp_path: Path) -> None:
    root, rows = tree
    hashes = []
    for workers in (1, 3):
        config, work = FacesConfig(align="detect", size=SIZE, workers=workers), tmp_path / str(workers)
        faces, quarantine = align_set([rows], len(rows), root, config, work, "tree")
        hashes.append((sha256_of(faces / "faces-00000.arrow"), quarantine["reason"].tolist()))
    assert hashes[0] == hashes[1]


def test_the_default_detector_is_mediapipe_and_only_detection_needs_one() -> None:
    find = _find_faces(FacesConfig(align="detect"))
    assert find is not None
    assert type(find).__module__ == "openfer.faces.mediapipe.detector"
    assert _find_faces(FacesConfig(align="whole", detector="mtcnn")) is None


def test_a_detector_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    with pytest.raises(ParameterError, match=r"detector mtcnn needs the package facenet_pytorch.*openfer\[mtcnn\]"):
        _find_faces(FacesConfig(align="detect", detector="mtcnn"))


def test_each_detector_has_its_own_smallest_share() -> None:
    shares = {
        name: FacesConfig(align="detect", detector=name).smallest_share_of_detector for name in ("mediapipe", "mtcnn")
    }
    assert shares == {"mediapipe": 0.3, "mtcnn": 0.06}
    assert FacesConfig(align="detect", smallest_share=0.1).smallest_share_of_detector == 0.1
