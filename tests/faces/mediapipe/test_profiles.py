"""Faces are found from every viewpoint of Multi-PIE, profiles included."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from openfer.faces.mediapipe.detector import MediapipeDetector, _across
from openfer.io.face_store import FaceStore
from openfer_faces.synthetic.config import SyntheticConfig
from openfer_faces.synthetic.render_set import render_set
from openfer_faces.synthetic.sets import plan
from tests.faces.mediapipe.conftest import BORDER, FACE, on_ground

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_faces_of_all_viewpoints_are_found_and_placed(detector: MediapipeDetector, tmp_path: Path) -> None:
    text = (ROOT / "conf/base/parameters/synthetic.yml").read_text()
    text = text.replace("${globals:seed}", "0").replace("${globals:image_size}", "64")
    settings = yaml.safe_load(text)["synthetic"] | {"workers": 1}
    settings["pie"] |= {"people": 2, "images_per_person": 15}
    config = SyntheticConfig.model_validate(settings)
    scenes = plan("synthetic_pie", config)
    store = FaceStore(render_set(scenes, config, tmp_path))
    fives = np.stack(store.table(["points5"])["points5"].to_list()).reshape(-1, 5, 2) * FACE / 64 + BORDER
    sure, off = [], []
    for row in range(len(store)):
        faces = detector.find(on_ground(store.image(row)))
        sure.append(any(face.score >= 0.9 for face in faces))
        if sure[-1] and abs(scenes["yaw"][row]) <= 75:
            off.append(np.linalg.norm(faces[0].mesh.five - fives[row], axis=1).mean() / FACE)
    assert np.mean(sure) >= 0.9
    assert np.median(off) < 0.03
    assert np.mean(np.array(off) < 0.08) > 0.9  # shares of the face's side


def test_the_direction_of_a_profile_is_that_of_its_mouth() -> None:
    frontal = np.array([(30.0, 40), (70, 44), (50, 60), (50, 80), (10, 50), (90, 50)])
    profile = np.array([(50.0, 40), (50, 46), (30, 60), (50, 83), (80, 50), (80, 50)])
    assert np.allclose(_across(frontal, 100), (40, 4))
    assert np.allclose(_across(profile, 100), (40, 0))
