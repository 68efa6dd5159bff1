import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from openfer.errors import ParameterError
from openfer.faces.align_set import align_set
from openfer.faces.config import FacesConfig
from openfer.faces.dlib68 import Dlib68
from openfer.faces.template import apply, five_of_68, template_points
from openfer.io.face_store import FaceStore
from openfer_faces.landmarks.augment import align
from openfer_faces.landmarks.calibrate import auc
from openfer_faces.landmarks.known import KnownFaces


def test_a_missing_package_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(ParameterError, match=r"package dlib, .* `pip install 'openfer\[dlib\]'`, or choose .* heatmap"):
        Dlib68()


def test_points_of_rendered_faces_are_near_the_truth_and_the_same_each_time(known: KnownFaces) -> None:
    pytest.importorskip("dlib")
    faces = [align(known[number], 128) for number in range(0, 56, 7)]
    crops = [face.image for face in faces]
    landmarker = Dlib68()
    points, scores = landmarker.find(crops)
    again = Dlib68().find(crops)
    assert np.array_equal(points, again[0])
    assert np.array_equal(scores, again[1])
    inner = np.linalg.norm(points - [face.points68 for face in faces], axis=2)[:, 17:]
    assert np.median(inner) < 0.05 * 128
    assert landmarker.licence.startswith("non-commercial")


def test_points_wander_more_on_a_covered_mouth(known: KnownFaces) -> None:
    pytest.importorskip("dlib")
    crops = [align(known[number], 128).image.copy() for number in range(0, 56, 4)]
    covered = np.stack(crops)
    noise = np.random.default_rng(0).integers(0, 256, (8, 16, 3), dtype=np.uint8)
    covered[:, 72:, 16:112] = np.kron(noise, np.ones((7, 6, 1), np.uint8))
    scores = np.concatenate([Dlib68().find(part)[1][:, 48:] for part in (crops, covered)])
    assert auc(scores, np.repeat([True, False], len(crops) * 20)) > 0.6


def test_a_second_alignment_brings_misplaced_faces_nearer_to_the_template(known: KnownFaces, tmp_path: Path) -> None:
    pytest.importorskip("dlib")
    rows, truth = [], {}
    for number in range(0, 56, 7):
        face = known[number]
        Image.fromarray(face.image).resize((256, 256)).save(tmp_path / f"{number}.png")
        wrong = face.points5 * 4 + np.array((12, -8))
        nothing = {"frame": None, "box": None}
        rows.append({"sample_id": f"s{number}", "path": f"{number}.png", "landmarks": wrong.ravel(), **nothing})
        truth[f"s{number}"] = five_of_68(face.points68)[:2] * 4

    def eyes_from_template(refine: str) -> float:
        config = FacesConfig(align="points", refine=refine, workers=1)
        faces, _ = align_set([pd.DataFrame(rows)], len(rows), tmp_path, config, tmp_path / refine, "faces")
        table = FaceStore(faces).table(["sample_id", "transform"])
        found = [apply(t.reshape(2, 3), truth[name]) for name, t in zip(*table.to_dict("list").values(), strict=True)]
        return float(np.linalg.norm(np.array(found) - template_points(256)[:2], axis=2).mean())

    assert eyes_from_template("dlib68") < 0.6 * eyes_from_template("none")
