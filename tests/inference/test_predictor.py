"""Faces of photographs: found, aligned and measured as ingest does it, and predicted."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import openfer
from openfer.errors import CheckpointError, DataError, ParameterError
from openfer.faces.align_set import align_set
from openfer.faces.config import FacesConfig
from openfer.faces.mediapipe.measure_set import measure_set
from openfer.inference.finder import FaceFinder
from openfer.inference.predictor import Predictor
from openfer.io.face_store import FaceStore
from openfer.pipelines.extras import extra_array
from tests.conftest import TinyFaces
from tests.inference.conftest import scene
from tests.inference.made_models import SIZE, crop, fit_geometry, look_at_colours


@pytest.fixture(scope="module")
def ingested(photographs, tmp_path_factory: pytest.TempPathFactory) -> FaceStore:
    """The face store of three photographs, made by ingest's step."""
    root = tmp_path_factory.mktemp("ingested")
    for number in range(3):
        Image.fromarray(photographs[number]).save(root / f"{number}.png")
    rows = {"sample_id": [*"012"], "path": [f"{number}.png" for number in range(3)], "frame": None}
    config = FacesConfig(align="detect", size=SIZE, encoding="png", workers=1)
    faces, _ = align_set([pd.DataFrame(rows | {"landmarks": None, "box": None})], 3, root, config, root / "work", "x")
    return FaceStore(faces)


def test_crops_and_geometry_are_those_of_the_training_tables(ingested: FaceStore, photographs, tmp_path: Path) -> None:
    table = measure_set(ingested, tmp_path, "x")
    trained_on = extra_array("geometry", table, table["sample_id"])[:, 0]  # without mirror images
    find = FaceFinder(crop(), "geometry", 0.2)
    for number in range(3):
        (seen,) = find(photographs[number])
        assert (seen.crop == ingested.image(number)).all()
        assert (seen.geometry == trained_on[number]).all()
        assert (seen.blendshapes == seen.geometry[:52]).all()


def test_a_fitted_model_recognises_the_expressions_of_new_people(
    predictor: Predictor, tiny_faces: TinyFaces, photographs
) -> None:
    true = tiny_faces.scenes["expression"].tolist()
    answers = predictor.predict(photographs)
    assert all(len(faces) == 1 for faces in answers)
    right = [faces[0].expression == name for faces, name in zip(answers, true, strict=True)]
    assert np.mean(right[:40]) > 0.9
    assert np.mean(right[40:]) > 0.4  # chance is 1 of 7


def test_a_model_of_pixels_is_given_the_crops_of_the_face_store(
    ingested: FaceStore, photographs, tmp_path: Path
) -> None:
    model = openfer.load(look_at_colours(tmp_path / "colours.onnx"))
    for number, (face,) in enumerate(model.predict(photographs[:3])):
        red, green, blue = ingested.image(number).mean(axis=(0, 1)) / 255
        weights = np.exp([red, green, blue, 0, 0, 0, 0])
        assert face.probabilities == pytest.approx(weights / weights.sum(), abs=1e-5)
        assert face.valence == pytest.approx(np.tanh(red - blue), abs=1e-5)
        assert face.arousal == pytest.approx(np.tanh(green), abs=1e-5)
        assert face.blendshapes is None


def test_answers_do_not_depend_on_threads_and_place_in_a_batch(predictor: Predictor, photographs) -> None:
    together = predictor.predict(photographs[:6])
    for photograph, (face,) in zip(photographs[:6], together, strict=True):
        (alone,) = predictor.faces(photograph)
        assert (alone.probabilities == face.probabilities).all()
        assert (alone.box == face.box).all()


def test_several_faces_of_a_photograph_come_the_largest_first(predictor: Predictor, tiny_faces: TinyFaces) -> None:
    small = scene([tiny_faces.store.image(0), tiny_faces.store.image(7)], width=480)
    found = predictor.faces(small)
    areas = [(face.box[2] - face.box[0]) * (face.box[3] - face.box[1]) for face in found]
    assert len(found) == 2
    assert areas == sorted(areas, reverse=True)
    centres = sorted(float(face.points[:, 0].mean()) for face in found)
    assert centres == pytest.approx([120, 360], abs=25)
    for face in found:
        assert face.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert face.box[0] < face.points[0, 0] < face.points[1, 0] < face.box[2]


def test_the_head_pose_is_that_of_the_photograph(predictor: Predictor, photographs) -> None:
    turned = np.asarray(Image.fromarray(photographs[0]).rotate(20, Image.Resampling.BICUBIC))
    upright, tilted = predictor.faces(photographs[0])[0].pose, predictor.faces(turned)[0].pose
    assert upright.roll - tilted.roll == pytest.approx(20, abs=3)  # Pillow turns counter-clockwise


def test_an_image_without_a_face_has_none(predictor: Predictor) -> None:
    assert predictor.predict([np.zeros((40, 60, 3), np.uint8), np.zeros((1, 1, 3), np.uint8)]) == [[], []]
    assert predictor.predict([]) == []


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_rgb_image_is_refused(predictor: Predictor, image: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"the image is .* of shape .*; give RGB, uint8"):
        predictor.faces(image)


def test_a_model_that_needs_landmarks_is_refused_with_the_reason(tmp_path: Path) -> None:
    oadn = look_at_colours(tmp_path / "oadn.onnx", method="oadn", extras=("landmarks",))
    with pytest.raises(ParameterError, match=r"\(oadn\) needs landmarks .*confidence.* Give a model of another method"):
        openfer.load(oadn)


def test_models_that_predict_other_things_are_refused(model_file: Path, photographs, tmp_path: Path) -> None:
    nothing, names = np.zeros((2, 1486), np.float32), ["neutral", "anger"]
    other = fit_geometry(tmp_path / "other.onnx", nothing, names, task="gender")
    with pytest.raises(ParameterError, match="predicts gender; give a model that predicts expressions"):
        openfer.load(other)
    with pytest.raises(ParameterError, match=r"smallest_face is 1\.5"):
        openfer.load(model_file, smallest_face=1.5)


def test_a_model_is_a_carried_one_a_file_or_an_exported_run(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = tmp_path / "data/06_models/geometry/geometry-s0-f0-3fa92c/model.onnx"
    exported.parent.mkdir(parents=True)
    exported.write_bytes(model_file.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert openfer.load("geometry-s0-f0-3fa92c").card == openfer.load(str(model_file)).card
    with pytest.raises(CheckpointError, match=r"there is no model 'geometry-s0-f0-3fa92d'.*did you mean"):
        openfer.load("geometry-s0-f0-3fa92d")
    with pytest.raises(CheckpointError, match=r"nowhere\.onnx does not exist"):
        openfer.load("nowhere.onnx")


def test_carried_models_name_no_folder_of_the_machine_that_made_them() -> None:
    carried = list((Path(openfer.__file__).parent / "inference/models").glob("*.onnx"))
    assert carried
    assert [
        path.name for path in carried if b"/torch/nn/" in path.read_bytes() or b"graph.py" in path.read_bytes()
    ] == []


def test_a_search_ends_when_there_are_more_faces_than_asked_for(model_file: Path, tiny_faces: TinyFaces) -> None:
    crowd = scene([tiny_faces.store.image(row) for row in (7, 14, 21, 28, 35)], width=1000)
    assert len(openfer.load(model_file).predict([crowd])[0]) == 5
    assert len(openfer.load(model_file, most_faces=2).predict([crowd])[0]) == 3
