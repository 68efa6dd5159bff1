"""The pipeline `landmarks` on a handful of faces: a model that knows what its scores mean, evidence, a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from openfer.io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from openfer.pipelines.landmarks import landmarks_pipeline, nodes
from openfer.schemas import LANDMARKS
from openfer_faces.landmarks.settings import HeatmapSettings, LandmarkerChoice
from tests.conftest import TinyFaces
from tests.pipelines.in_process import Workshop
from tests.pipelines.raw_folders import RAW, Pictures

HEATMAP = LandmarkerChoice(landmarker="heatmap", compared=("mediapipe",))
SETTINGS = HeatmapSettings(input_size=64, width=8, epochs=1, batch_size=8)
ROLES = ("train", "train", "train", "train", "val", "val", "test", "test")


@pytest.fixture(scope="module")
def scenes(tiny_faces) -> pd.DataFrame:
    """The tiny set's eight people as learners, calibrators and examinees."""
    people = sorted(tiny_faces.scenes["person"].unique())
    return tiny_faces.scenes.assign(partition=tiny_faces.scenes["person"].map(dict(zip(people, ROLES, strict=True))))


@pytest.fixture(scope="module")
def model(tiny_faces, scenes: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder: Path = tmp_path_factory.mktemp("landmarks")
    trained, history = nodes.train(SETTINGS, scenes, tiny_faces.store, folder)
    assert list(history["epoch"]) == [1]
    assert trained.facts["people"] == 4
    calibrated = nodes.calibrate(HEATMAP, SETTINGS, trained, scenes, tiny_faces.store)
    save_checkpoint(folder / "model.safetensors", calibrated)
    return load_checkpoint(folder / "model.safetensors")


def test_evidence_is_one_number_a_row_for_each_kind_of_faces(
    tiny_faces, scenes: pd.DataFrame, model: Checkpoint
) -> None:
    evidence, picture = nodes.measure(HEATMAP, SETTINGS, model, scenes, tiny_faces.store)
    assert list(evidence.columns) == ["landmarker", "faces", "quantity", "value", "n_faces", "n_people"]
    assert set(evidence.loc[evidence["faces"] == "rendered", "n_faces"]) == {14}
    assert set(evidence["n_people"]) == {2}
    assert set(evidence["faces"]) == {"rendered", "varied", "pasted"}
    assert not evidence.duplicated(["landmarker", "faces", "quantity"]).any()
    auc = evidence.loc[evidence["quantity"].str.startswith("auc"), "value"]
    assert auc.between(0, 1).all()
    assert set(evidence.loc[auc.index, "landmarker"]) == {"heatmap"}  # the other has no confidence
    assert set(evidence.loc[evidence["quantity"] == "nme", "landmarker"]) == {"heatmap", "mediapipe"}
    assert picture.width > 200


def test_points_of_a_store_come_in_its_order_with_a_confidence(tiny_faces, model: Checkpoint) -> None:
    table = nodes.find(HEATMAP, model, tiny_faces.store)
    assert list(table["sample_id"]) == list(tiny_faces.store.sample_ids)
    assert set(table["points68"].map(len)) == {136}
    confidence = np.stack(table["confidence68"].to_list())
    assert confidence.shape == (56, 68)
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_the_pipeline_finds_points_of_raw_pictures_by_default_without_rendering_or_training(
    tiny_faces: TinyFaces, tmp_path: Path
) -> None:
    workshop = Workshop.new(tmp_path / "project")
    RAW["folder"].build(workshop.raw("folder"), Pictures(tiny_faces))
    workshop.describe("folder", **RAW["folder"].parameters)
    ran = workshop.run("landmarks", "folder", twice=True)
    assert ran.count("folder.find") == 1
    assert not any("landmarks" in name for name in ran)
    table = LANDMARKS.validate(pd.read_parquet(workshop.path / "data/04_feature/landmarks/folder.parquet"))
    faces = workshop.faces("folder")
    assert list(table["sample_id"]) == list(faces.sample_ids)
    given = np.stack(faces.table(["points5"])["points5"].to_list()).reshape(-1, 5, 2)
    found = np.stack(table["points68"].to_list()).reshape(-1, 68, 2)
    distance = np.linalg.norm(found[:, [30, 48, 54]] - given[:, 2:], axis=2)
    assert np.median(distance) < 0.05 * 64  # the detector's own nose and mouth corners


def test_points_of_a_landmarker_without_confidence_leave_that_column_empty(tiny_faces) -> None:
    table = LANDMARKS.validate(nodes.find_without_model(LandmarkerChoice(), tiny_faces.store))
    assert list(table["sample_id"]) == list(tiny_faces.store.sample_ids)
    assert table["points68"].notna().all()
    assert table["confidence68"].isna().all()


@pytest.mark.parametrize(
    ("choice", "rendered", "trained"),
    [
        (LandmarkerChoice(), False, False),
        (LandmarkerChoice(landmarker="heatmap"), True, True),
        (LandmarkerChoice(compared=("heatmap",)), True, True),
        (LandmarkerChoice(landmarker="dlib68", compared=("mediapipe",)), True, False),
    ],
)
def test_faces_are_rendered_only_for_a_calibration_and_the_regressor_is_trained_only_if_it_is_asked_for(
    choice: LandmarkerChoice, rendered: bool, trained: bool
) -> None:
    pipeline = landmarks_pipeline("mine", choice)
    names = {node.name for node in pipeline.nodes}
    assert ("landmarks.train" in names) == trained
    assert ("synthetic_landmarks.render" in names) == rendered
    assert pipeline.outputs() >= {"mine_landmarks"}
    assert "landmarks_model" not in pipeline.inputs()


def test_dlib_is_calibrated_without_the_regressor(tiny_faces, scenes: pd.DataFrame, tmp_path: Path) -> None:
    pytest.importorskip("dlib")
    choice = LandmarkerChoice(landmarker="dlib68", jitters=2)
    model = nodes.calibrate_without_regressor(choice, SETTINGS, scenes, tiny_faces.store)
    save_checkpoint(tmp_path / "model.safetensors", model)
    table = nodes.find(choice, load_checkpoint(tmp_path / "model.safetensors"), tiny_faces.store)
    assert LANDMARKS.validate(table)["confidence68"].notna().all()
