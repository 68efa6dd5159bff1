import hashlib
import multiprocessing
import pickle
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from openfer.errors import DataError
from openfer.io import face_store
from openfer.io.datasets import FaceStoreDataset
from openfer.io.face_shard import forget_maps
from openfer.io.face_store import (
    EncodedFace,
    Face,
    FaceStore,
    FaceStoreWriter,
    assemble_store,
    encode,
    write_shard,
)


def make_face(name: str, value: int, **extra) -> Face:
    image = np.full((8, 8, 3), value, np.uint8)
    image[0, 0] = (255, 0, 7)
    points = np.arange(136, dtype=np.float32).reshape(68, 2)
    return Face(name, image, points5=points[:5], points68=points, confidence68=np.ones(68), **extra)


def write_store(folder: Path, names: str, rows_per_shard: int = 2) -> FaceStore:
    with FaceStoreWriter(folder, rows_per_shard) as writer:
        for number, name in enumerate(names):
            writer.add(make_face(name, 50 * number))
    return FaceStore(folder)


@pytest.fixture
def store(tmp_path: Path) -> FaceStore:
    """Three faces in two shards."""
    return write_store(tmp_path / "faces", "abc")


def test_every_pixel_and_point_comes_back(store: FaceStore) -> None:
    assert len(store) == 3
    assert list(store.sample_ids) == ["a", "b", "c"]
    assert np.array_equal(store.image(2), make_face("c", 100).image)
    assert np.array_equal(np.reshape(store.table()["points68"][1], (68, 2)), make_face("b", 0).points68)
    assert store.table(["sha256"])["sha256"][1] == hashlib.sha256(store.encoded(1)).hexdigest()


def test_equal_images_have_equal_numbers_and_others_do_not(tmp_path: Path) -> None:
    with FaceStoreWriter(tmp_path / "faces", rows_per_shard=2) as writer:
        for name, value in zip("abcd", [5, 6, 5, 7], strict=True):
            writer.add(make_face(name, value))
    first, other, again, third = FaceStore(tmp_path / "faces").contents()
    assert first == again
    assert len({first, other, third}) == 3


def test_what_is_unknown_of_a_face_is_null_in_the_table(tmp_path: Path) -> None:
    plain = Face("plain", np.zeros((4, 6, 3), np.uint8))
    known = make_face("known", 1, transform=np.eye(2, 3), perceptual_hash="00ff", detection_score=0.5)
    write_shard(tmp_path / "0.arrow", [plain, known])
    table = FaceStore(assemble_store(tmp_path / "faces", [tmp_path / "0.arrow"])).table()
    optional = ["points5", "points68", "confidence68", "transform", "perceptual_hash"]
    assert table[optional].isna().to_numpy().tolist() == [[True] * 5, [False] * 5]
    assert (table["height"][0], table["width"][0]) == (4, 6)
    assert table["transform"][1].tolist() == [1, 0, 0, 0, 1, 0]
    assert table["perceptual_hash"][1] == "00ff"
    assert table["detection_score"].tolist() == [1.0, 0.5]


def test_a_jpeg_is_smaller_and_keeps_colour_at_full_resolution(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with FaceStoreWriter(tmp_path) as writer:
        for encoding in ("png", "jpeg"):
            writer.add(Face(encoding, image, encoding=encoding))
    store = FaceStore(tmp_path)
    assert store.encoded(1).startswith(b"\xff\xd8")
    assert np.array_equal(store.image(0), image)
    assert np.abs(store.image(1).astype(int) - image).mean() < 3


def test_rows_are_found_in_the_order_asked_for(store: FaceStore) -> None:
    assert store.rows_of(["c", "a"]).tolist() == [2, 0]
    assert store.rows_of([]).tolist() == []


def test_a_sample_without_a_face_is_named(store: FaceStore) -> None:
    with pytest.raises(DataError, match=r"1 samples of the split have no face .*'z'"):
        store.rows_of(["a", "z"])


@pytest.mark.parametrize("row", [-1, 3])
def test_a_row_outside_of_the_store_is_refused(store: FaceStore, row: int) -> None:
    with pytest.raises(IndexError, match=rf"row {row} .* has 3"):
        store.encoded(row)


def test_the_same_faces_give_the_same_bytes(store: FaceStore, tmp_path: Path) -> None:
    again = write_store(tmp_path / "again", "abc")
    assert [shard.read_bytes() for shard in store.shards] == [shard.read_bytes() for shard in again.shards]
    assert (store.folder / "index.json").read_bytes() == (again.folder / "index.json").read_bytes()


def test_a_long_name_costs_no_room_in_the_others(tmp_path: Path) -> None:
    names = ["a", "x" * 100_000, "c"]
    write_shard(tmp_path / "0.arrow", [make_face(name, 0) for name in names])
    store = FaceStore(assemble_store(tmp_path / "faces", [tmp_path / "0.arrow"]))
    assert store.sample_ids.itemsize == 16
    assert store.sample_ids[np.array([2, 1])].tolist() == ["c", names[1]]
    assert store.sample_ids[np.array([True, False, True])].tolist() == ["a", "c"]


def test_a_store_without_faces_is_one(tmp_path: Path) -> None:
    store = write_store(tmp_path, "")
    assert (len(store), len(store.sample_ids), len(store.table())) == (0, 0, 0)
    assert list(store.table(["height", "width"])) == ["height", "width"]


def _write_one(job: tuple[Path, str]) -> Path:
    path, names = job
    write_shard(path, (encode(make_face(name, ord(name))) for name in names))
    return path


def test_shards_written_by_several_processes_are_the_store_that_one_writes(tmp_path: Path) -> None:
    jobs = [(tmp_path / f"{number}.arrow", names) for number, names in enumerate(["ab", "cd", "e"])]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        paths = pool.map(_write_one, jobs)
    parallel = FaceStore(assemble_store(tmp_path / "parallel", paths))
    with FaceStoreWriter(tmp_path / "serial", 2) as writer:
        for name in "abcde":
            writer.add(make_face(name, ord(name)))
    serial = FaceStore(tmp_path / "serial")
    assert [shard.read_bytes() for shard in parallel.shards] == [shard.read_bytes() for shard in serial.shards]


def test_assembling_links_and_copies_where_links_fail(
    store: FaceStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = FaceStore(assemble_store(tmp_path / "linked", store.shards[::-1]))
    assert [shard.stat().st_ino for shard in linked.shards] == [shard.stat().st_ino for shard in store.shards[::-1]]
    assert list(linked.sample_ids) == ["c", "a", "b"]

    def refuses(source: Path, target: Path) -> None:
        raise OSError("no hard links here")

    monkeypatch.setattr(face_store.os, "link", refuses)
    copied = FaceStore(assemble_store(tmp_path / "copied", store.shards))
    assert copied.encoded(2) == store.encoded(2)
    assert {shard.stat().st_nlink for shard in copied.shards} == {1}


def test_a_shard_of_more_faces_than_are_written_at_once_reads_everywhere(tmp_path: Path) -> None:
    count = write_shard(tmp_path / "0.arrow", (make_face(f"{number:03d}", number) for number in range(250)))
    store = FaceStore(assemble_store(tmp_path / "faces", [tmp_path / "0.arrow"]))
    assert count == len(store) == 250
    for row in (0, 99, 100, 199, 200, 249):
        assert store.image(row)[4, 4, 0] == row
        assert store.sample_ids[row] == f"{row:03d}"
    assert store.table(["sample_id"])["sample_id"].is_monotonic_increasing


def test_columns_of_many_shards_are_in_the_order_of_the_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_store, "_SHARDS_AT_ONCE", 2)
    store = write_store(tmp_path / "faces", "edcba", rows_per_shard=1)
    table = store.table()
    assert table["sample_id"].tolist() == list("edcba")
    assert table["sha256"].tolist() == [hashlib.sha256(store.encoded(row)).hexdigest() for row in range(5)]
    assert table["points5"].map(len).tolist() == [10] * 5


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads /proc")
def test_maps_are_forgotten_when_asked_for_and_made_anew_when_needed(store: FaceStore) -> None:
    def maps() -> int:
        return Path("/proc/self/maps").read_text().count(str(store.folder))

    before = store.encoded(0)
    assert maps() > 0
    forget_maps()
    assert maps() == 0
    assert store.encoded(0) == before


def test_a_worker_that_fails_leaves_no_shard(tmp_path: Path) -> None:
    def faces():
        yield make_face("a", 1)
        raise RuntimeError("the renderer broke")

    with pytest.raises(RuntimeError, match="the renderer broke"):
        write_shard(tmp_path / "0.arrow", faces())
    assert list(tmp_path.iterdir()) == []


def test_a_store_whose_writing_broke_off_is_refused(store: FaceStore) -> None:
    def breaks_off() -> None:
        with FaceStoreWriter(store.folder, 1) as writer:
            writer.add(make_face("a", 1))
            writer.add(make_face("b", 1))
            raise RuntimeError("broke")

    with pytest.raises(RuntimeError, match="broke"):
        breaks_off()
    with pytest.raises(DataError, match=r"lacks index\.json: it was never finished"):
        FaceStore(store.folder)


def test_a_full_disk_is_a_storage_error(tmp_path: Path) -> None:
    script = f"""
import resource, signal
from pathlib import Path
import numpy as np
from openfer.errors import StorageError
from openfer.io.face_store import Face, FaceStoreWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
try:
    with FaceStoreWriter(Path({str(tmp_path / "faces")!r})) as writer:
        for number in range(5):
            writer.add(Face(str(number), noise))
except StorageError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "faces-00000.arrow could not be written: no room left" in said
    assert list((tmp_path / "faces").iterdir()) == []


def test_an_image_of_zero_bytes_is_named_when_it_is_read(tmp_path: Path) -> None:
    with FaceStoreWriter(tmp_path / "faces") as writer:
        writer.add(make_face("good", 1))
        writer.add(EncodedFace(b"", {"sample_id": "empty"}))
    store = FaceStore(tmp_path / "faces")
    with pytest.raises(DataError, match=r"face empty .* cannot be decoded \(0 bytes, not an image\)"):
        store.image(1)


@pytest.mark.parametrize(
    ("face", "words"),
    [
        (Face("grey", np.zeros((8, 8), np.uint8)), r"face grey has an image of uint8 \(8, 8\)"),
        (Face("float", np.zeros((8, 8, 3))), r"face float has an image of float64"),
        (Face("few", np.zeros((8, 8, 3), np.uint8), points68=np.zeros((5, 2))), r"face few has points68 of shape"),
    ],
)
def test_a_face_of_a_wrong_shape_is_named(face: Face, words: str) -> None:
    with pytest.raises(DataError, match=words):
        encode(face)


def test_a_value_that_fits_no_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a face from a to b does not fit the columns of .*0\.arrow"):
        write_shard(tmp_path / "0.arrow", [make_face("a", 1), make_face("b", 1, perceptual_hash=255)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_shard_is_refused_at_once(store: FaceStore, share: float) -> None:
    shard = store.shards[1]
    shard.write_bytes(shard.read_bytes()[: int(share * shard.stat().st_size)])
    with pytest.raises(DataError, match=r"faces-00001\.arrow has \d+ bytes, .* restore it with `dvc checkout`"):
        FaceStore(store.folder)
    with pytest.raises(DataError, match=r"faces-00001\.arrow \(\d+ bytes\) is no whole Arrow file"):
        assemble_store(store.folder.parent / "joined", [shard])
    assert not (store.folder.parent / "joined").exists()


def test_a_missing_shard_is_named(store: FaceStore) -> None:
    shard = store.shards[1]
    shard.unlink()
    with pytest.raises(DataError, match=r"lacks faces-00001\.arrow; restore it"):
        FaceStore(store.folder)
    with pytest.raises(DataError, match=r"faces-00001\.arrow \(missing\)"):
        assemble_store(store.folder.parent / "joined", [shard])


def test_a_file_that_is_no_shard_is_named_when_it_is_read(store: FaceStore) -> None:
    shard = store.shards[1]
    shard.write_bytes(bytes(shard.stat().st_size))
    damaged = FaceStore(store.folder)
    assert damaged.encoded(0) == store.encoded(0)
    with pytest.raises(DataError, match=r"faces-00001\.arrow .* is no whole Arrow file of faces"):
        damaged.encoded(2)
    with pa.ipc.new_file(str(shard), pa.schema({"other": pa.int8()})) as other:
        other.write_batch(pa.RecordBatch.from_pydict({"other": [1]}, schema=pa.schema({"other": pa.int8()})))
    with pytest.raises(DataError, match=r"faces-00001\.arrow has columns other than sample_id"):
        assemble_store(store.folder.parent / "joined", [shard])


def test_no_flipped_bit_is_worse_than_an_error(store: FaceStore) -> None:
    shard = store.shards[0]
    whole = shard.read_bytes()
    draw = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[draw.integers(len(whole))] ^= 1 << draw.integers(8)
        shard.unlink()
        shard.write_bytes(damaged)
        with suppress(DataError):
            opened = FaceStore(store.folder)
            assert len(opened.sample_ids) == len(opened.table()) == 3
            assert all(opened.image(row).dtype == np.uint8 for row in range(3))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"shards": [{"rows": 1}]}', b"\xff\xfe"])
def test_a_damaged_index_is_refused(store: FaceStore, content: bytes) -> None:
    (store.folder / "index.json").write_bytes(content)
    with pytest.raises(DataError, match=r"index\.json is no index of a face store"):
        FaceStore(store.folder)


def test_a_store_written_anew_in_its_place_is_read_anew(store: FaceStore) -> None:
    before = store.encoded(0)
    again = write_store(store.folder, "xyz")
    assert list(again.sample_ids) == ["x", "y", "z"]
    assert again.encoded(0) == before


def test_it_travels_to_another_process_as_a_folder(store: FaceStore) -> None:
    packed = pickle.dumps(store)
    assert len(packed) < 1000
    assert np.array_equal(pickle.loads(packed).image(1), store.image(1))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc")
def test_a_thousand_shards_keep_no_file_open(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.arrow", [make_face("a", 1)])
    store = FaceStore(assemble_store(tmp_path / "faces", [tmp_path / "0.arrow"] * 1000))
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert {store.encoded(row) for row in range(1000)} == {store.encoded(0)}
    assert len(store.table(["sample_id"])) == 1000
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_kedro_viz_is_shown_the_first_faces(store: FaceStore) -> None:
    preview = FaceStoreDataset(filepath=str(store.folder)).preview(nrows=2)
    assert preview["columns"][0] == "sample_id"
    assert [row[0] for row in preview["data"]] == ["a", "b"]
