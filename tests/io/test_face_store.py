import pickle
from pathlib import Path

import numpy as np
import pytest

from openfer.errors import DataError
from openfer.io.datasets import FaceStoreDataset
from openfer.io.face_store import Face, FaceStore, FaceStoreWriter


def make_face(name: str, value: int) -> Face:
    image = np.full((8, 8, 3), value, np.uint8)
    image[0, 0] = (255, 0, 7)
    points = np.arange(136, dtype=np.float32).reshape(68, 2)
    return Face(name, image, points5=points[:5], points68=points, confidence68=np.ones(68))


@pytest.fixture
def store(tmp_path: Path) -> FaceStore:
    with FaceStoreWriter(tmp_path / "faces") as writer:
        for number, name in enumerate("abc"):
            writer.add(make_face(name, 50 * number))
    return FaceStore(tmp_path / "faces")


def test_every_pixel_and_point_comes_back(store: FaceStore) -> None:
    assert list(store.sample_ids) == ["a", "b", "c"]
    assert np.array_equal(store.image(2), make_face("c", 100).image)
    assert np.array_equal(np.reshape(store.table()["points68"][1], (68, 2)), make_face("b", 0).points68)


def test_rows_are_found_in_the_order_asked_for(store: FaceStore) -> None:
    assert store.rows_of(["c", "a"]).tolist() == [2, 0]


def test_a_sample_without_a_face_is_named(store: FaceStore) -> None:
    with pytest.raises(DataError, match=r"1 samples of the split have no face .*'z'"):
        store.rows_of(["a", "z"])


def test_stores_join_in_order(store: FaceStore, tmp_path: Path) -> None:
    with FaceStoreWriter(tmp_path / "joined") as writer:
        writer.add_store(store)
        writer.add(make_face("d", 9))
        writer.add_store(store)
    joined = FaceStore(tmp_path / "joined")
    assert list(joined.sample_ids) == ["a", "b", "c", "d", "a", "b", "c"]
    assert np.array_equal(joined.image(5), store.image(1))


def test_an_image_of_zero_bytes_is_named_when_it_is_read(tmp_path: Path) -> None:
    with FaceStoreWriter(tmp_path / "faces") as writer:
        writer.add(make_face("good", 1))
        writer.add_encoded(b"", {"sample_id": "empty"})
    store = FaceStore(tmp_path / "faces")
    with pytest.raises(DataError, match=r"face empty .* cannot be decoded \(0 bytes, not an image\)"):
        store.image(1)


def test_a_truncated_pixel_file_is_refused_at_once(store: FaceStore) -> None:
    pixels = store.folder / "faces.bin"
    pixels.write_bytes(pixels.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"is truncated; restore it with `dvc checkout`"):
        FaceStore(store.folder)


def test_a_store_without_its_table_is_refused(store: FaceStore) -> None:
    (store.folder / "faces.parquet").unlink()
    with pytest.raises(DataError, match=r"lacks faces.parquet"):
        FaceStore(store.folder)


def test_it_travels_to_another_process_as_a_folder(store: FaceStore) -> None:
    packed = pickle.dumps(store)
    assert len(packed) < 1000
    assert np.array_equal(pickle.loads(packed).image(1), store.image(1))


def test_kedro_viz_is_shown_the_first_faces(store: FaceStore) -> None:
    preview = FaceStoreDataset(filepath=str(store.folder)).preview(nrows=2)
    assert preview["columns"][0] == "sample_id"
    assert [row[0] for row in preview["data"]] == ["a", "b"]
