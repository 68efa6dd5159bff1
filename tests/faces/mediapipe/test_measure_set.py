"""The geometry table of a whole store."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from openfer.faces.mediapipe import measure_set as module
from openfer.faces.mediapipe.measure import flipped
from openfer.faces.mediapipe.measure_set import measure_set
from openfer.io.face_store import Face, FaceStore, FaceStoreWriter, assemble_store
from openfer.pipelines.geometry import geometry_pipeline, measure_geometry
from openfer.schemas import GEOMETRY
from tests.prepared import prepared


@pytest.fixture(scope="module")
def store(tiny_faces, tmp_path_factory: pytest.TempPathFactory) -> FaceStore:
    """Ten faces: rendered ones, the last but one without points, the last black."""
    folder = tmp_path_factory.mktemp("store")
    points = tiny_faces.store.table(["points5"])["points5"]
    with FaceStoreWriter(folder) as writer:
        for row in range(9):
            known = np.reshape(points[row], (5, 2)) if row < 8 else None
            writer.add(Face(f"face{row}", tiny_faces.store.image(row), points5=known))
        writer.add(Face("black", np.zeros((64, 64, 3), np.uint8)))
    return FaceStore(folder)


@pytest.fixture(scope="module")
def table(store: FaceStore, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return measure_geometry("tiny", store, tmp_path_factory.mktemp("work"))


def test_every_face_has_a_row_in_the_order_of_the_store(table: pd.DataFrame, store: FaceStore) -> None:
    assert list(table.columns) == list(GEOMETRY.columns)
    assert table["sample_id"].tolist() == list(store.sample_ids)
    assert (table["presence"][:9] > 0.5).all()
    assert table["presence"].iloc[9] < 0.5


def test_numbers_are_those_of_the_crop_and_of_its_mirror_image(table, store, meter) -> None:
    points = store.table(["points5"])["points5"]
    for row in (0, 8):
        known = None if points[row] is None else np.reshape(points[row], (5, 2)).astype(float)
        measured, mirrored = meter(store.image(row), known), meter(*flipped(store.image(row), known))
        assert (table["mesh"][row] == measured.mesh.ravel()).all()
        assert (table["blendshapes"][row] == measured.blendshapes).all()
        assert (table["mirrored_mesh"][row] == mirrored.mesh.ravel()).all()
        assert (table["mirrored_blendshapes"][row] == mirrored.blendshapes).all()
        assert table["yaw"][row] == measured.pose.yaw


def test_a_killed_run_goes_on_from_its_finished_parts(
    table: pd.DataFrame, store: FaceStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROWS_PER_PART", 4)
    monkeypatch.setattr("openfer.workers.available_cores", lambda: 1)
    measured: list[int] = []
    measure = module._measure

    def until_the_third(part: module._Part) -> int:
        if len(measured) == 2:
            raise KeyboardInterrupt
        measured.append(part.start)
        return measure(part)

    monkeypatch.setattr(module, "_measure", until_the_third)
    with pytest.raises(KeyboardInterrupt):
        measure_set(store, tmp_path, "tiny")
    monkeypatch.setattr(module, "_measure", lambda part: measured.append(part.start) or measure(part))
    resumed = measure_set(store, tmp_path, "tiny")
    assert measured == [0, 4, 8]
    assert resumed["sample_id"].tolist() == table["sample_id"].tolist()
    assert (np.stack(resumed["mesh"]) == np.stack(table["mesh"])).all()


@pytest.mark.slow
def test_two_workers_give_the_same_numbers(
    table: pd.DataFrame, store: FaceStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openfer.workers.available_cores", lambda: 2)
    monkeypatch.setattr("openfer.workers.get_context", lambda _: prepared())
    many = FaceStore(assemble_store(tmp_path / "many", store.shards * 26))  # 260 faces are two parts
    monkeypatch.setattr(module, "GEOMETRY", _AnyTable())  # names are not unique here
    found = measure_set(many, tmp_path / "work", "tiny")
    assert (np.stack(found["mesh"]) == np.tile(np.stack(table["mesh"]), (26, 1))).all()


class _AnyTable:
    columns = GEOMETRY.columns

    def validate(self, table: pd.DataFrame) -> pd.DataFrame:
        return table


def test_an_empty_store_gives_an_empty_table(tmp_path: Path) -> None:
    with FaceStoreWriter(tmp_path / "store"):
        pass
    assert len(measure_set(FaceStore(tmp_path / "store"), tmp_path / "work", "none")) == 0


def test_the_pipeline_makes_the_table_of_its_dataset() -> None:
    pipeline = geometry_pipeline("mine")
    assert pipeline.outputs() == {"mine_geometry"}
    assert pipeline.inputs() == {"mine_faces", "mine.geometry.work"}
    assert [node.name for node in pipeline.nodes] == ["mine.measure_geometry"]
