"""How fast the face store reads random faces, next to LMDB, an indexed tar archive and one file per image.

    python benchmarks/face_store.py --sizes 48 112 256 --count 20000

All formats hold the same image files and are read in the same random orders by one thread, in turns,
from a warm page cache. A rate is the median of the rounds, by processor time: what a core of its own
reads. "bytes" hands out the image file; "pillow" decodes it to RGB besides, of "files" as most programs do,
`np.array(Image.open(path).convert("RGB"))`; "decode" does so with the store's decoder. Beside a rate stands how many
times that of one file per image it is, read or opened with Pillow. Writing does not count the encoding. The memory of
opening is that of fresh processes which list the names and sizes of all faces: "own" is theirs alone,
"mapped" is the page cache that they look at.
LMDB is left out where it is not installed.
"""

import argparse
import importlib.util
import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from openfer.io.face import decode
from openfer.io.face_store import EncodedFace, Face, FaceStore, FaceStoreWriter, encode

DISTINCT = 256
"""Images that differ; they are repeated, as the content of a crop costs nothing to read twice."""

OPEN = """
import sys
from pathlib import Path
from openfer.io.face_store import FaceStore
def memory():
    lines = Path("/proc/self/status").read_text().splitlines()
    return [int(line.split()[1]) / 1024 for line in lines if line.startswith(("RssAnon", "RssFile"))]
FaceStore(Path(sys.argv[1])).table(["height"])
before = memory()
store = FaceStore(Path(sys.argv[2]))
names, sizes = store.sample_ids, store.table(["height", "width"])
assert len(names) == len(sizes) == len(store)
print(*(after - earlier for after, earlier in zip(memory(), before)))
"""

Read = Callable[[int], bytes]


def crops(size: int, encoding: Any, count: int) -> list[EncodedFace]:
    """Return faces of smooth colours under slight noise, which compress about as well as skin."""
    draw = np.random.default_rng(0)
    distinct = []
    for _ in range(DISTINCT):
        smooth = Image.fromarray(draw.integers(0, 256, (8, 8, 3), np.uint8)).resize(
            (size, size), Image.Resampling.BICUBIC
        )
        noisy = np.asarray(smooth).astype(int) + draw.integers(-3, 4, (size, size, 3))
        distinct.append(encode(Face("", np.clip(noisy, 0, 255).astype(np.uint8), encoding=encoding)))
    return [
        EncodedFace(one.content, {**one.record, "sample_id": f"sample{number:07d}"})
        for number in range(count)
        for one in (distinct[number % DISTINCT],)
    ]


def write_store(folder: Path, faces: Sequence[EncodedFace]) -> Read:
    """Write an Arrow face store."""
    with FaceStoreWriter(folder) as writer:
        for face in faces:
            writer.add(face)
    return FaceStore(folder).encoded


def write_lmdb(folder: Path, faces: Sequence[EncodedFace]) -> Read:
    """Write an LMDB environment, key: row number."""
    import lmdb

    room = 2 * sum(len(face.content) for face in faces) + len(faces) * 2**13 + 2**26
    with lmdb.open(str(folder), map_size=room) as database, database.begin(write=True) as transaction:
        for row, face in enumerate(faces):
            transaction.put(b"%08d" % row, face.content)
    reading = lmdb.open(str(folder), readonly=True, lock=False, readahead=False).begin()
    return lambda row: reading.get(b"%08d" % row)


def write_tar(folder: Path, faces: Sequence[EncodedFace]) -> Read:
    """Write a tar archive and keep where each member lies."""
    folder.mkdir()
    with tarfile.open(folder / "faces.tar", "w") as archive:
        for face in faces:
            member = tarfile.TarInfo(f"{face.record['sample_id']}.img")
            member.size = len(face.content)
            archive.addfile(member, io.BytesIO(face.content))
    with tarfile.open(folder / "faces.tar") as archive:
        places = [(member.size, member.offset_data) for member in archive]
    stream = os.open(folder / "faces.tar", os.O_RDONLY)
    return lambda row: os.pread(stream, *places[row])


def write_files(folder: Path, faces: Sequence[EncodedFace]) -> Read:
    """Write one file per image."""
    folder.mkdir()
    paths = [folder / f"{face.record['sample_id']}.img" for face in faces]
    for path, face in zip(paths, faces, strict=True):
        path.write_bytes(face.content)

    def read(row: int) -> bytes:
        with open(paths[row], "rb") as file:  # noqa: PTH123 - the quickest way there is
            return file.read()

    return read


def pillow(read: Read, folder: Path, faces: Sequence[EncodedFace]) -> Callable[[int], np.ndarray]:
    """Return how Pillow decodes: from a path where there is one, else from the bytes."""
    if folder.name == "files":
        paths = [folder / f"{face.record['sample_id']}.img" for face in faces]

        def from_path(row: int) -> np.ndarray:
            with Image.open(paths[row]) as image:
                return np.array(image.convert("RGB"))

        return from_path

    def from_bytes(row: int) -> np.ndarray:
        with Image.open(io.BytesIO(read(row)), formats=("PNG", "JPEG")) as image:
            return np.array(image.convert("RGB"))

    return from_bytes


def decoded(read: Read, folder: Path) -> Callable[[int], np.ndarray]:
    """Return how the store decodes; the others' bytes go through the same decoder."""
    return FaceStore(folder).image if folder.name == "store" else lambda row: decode(read(row))


def rate(read: Callable[[int], Any], rows: list[int]) -> float:
    """Return reads per second."""
    begin = time.process_time()
    for row in rows:
        read(row)
    return len(rows) / (time.process_time() - begin)


def compare(size: int, encoding: str, count: int, rounds: int, reads: int, folder: Path) -> None:
    """Write all formats, read them in turns and print a table."""
    faces = crops(size, encoding, count)
    megabytes = sum(len(face.content) for face in faces) / 1e6
    writers = {"store": write_store, "lmdb": write_lmdb, "tar": write_tar, "files": write_files}
    if importlib.util.find_spec("lmdb") is None:
        del writers["lmdb"]
    written, readers = {}, {}
    for name, write in writers.items():
        begin = time.process_time()
        read = write(folder / name, faces)
        written[name] = count / (time.process_time() - begin)
        assert all(read(row) == faces[row].content for row in range(count)), name
        readers[name] = {
            "bytes": read,
            "pillow": pillow(read, folder / name, faces),
            "decode": decoded(read, folder / name),
        }
    for row in range(DISTINCT):
        assert np.array_equal(readers["store"]["decode"](row), readers["files"]["pillow"](row))

    draw = np.random.default_rng(1)
    rates: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for way, share in (("bytes", 10), ("pillow", 1), ("decode", 1)):
            rows = draw.integers(count, size=reads * share).tolist()
            for name, ways in readers.items():
                rates.setdefault((name, way), []).append(rate(ways[way], rows))
    print(f"\n{size} pixels, {encoding}, {count} faces of {megabytes / count * 1000:.1f} kB; reads per second and core")
    print(f"{'':8}{'bytes':>10}{'':>8}{'pillow':>10}{'':>8}{'decode':>10}{'':>8}{'written':>10}{'':>12}")
    for name in readers:
        line = f"{name:8}"
        for way, width in (("bytes", 10), ("pillow", 10), ("decode", 10)):
            middle = statistics.median(rates[name, way])
            # the yardstick of decoding is the usual way, a file opened with Pillow
            usual = statistics.median(rates["files", "bytes" if way == "bytes" else "pillow"])
            line += f"{middle:>{width}.0f}{f'{middle / usual:.2f}x':>8}"
        print(f"{line}{written[name]:>10.0f}{f'{written[name] * megabytes / count:.0f} MB/s':>12}", flush=True)


def opening(counts: Sequence[int], folder: Path) -> None:
    """Print what a fresh process needs to open stores of several sizes."""
    write_store(folder / "one", crops(48, "jpeg", 1))
    print("\nopening, listing names and sizes   own MB   mapped MB   seconds to open")
    for count in counts:
        write_store(folder / str(count), crops(48, "jpeg", count))
        words = [sys.executable, "-c", OPEN, str(folder / "one"), str(folder / str(count))]
        own, mapped = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
        begin = time.perf_counter()
        FaceStore(folder / str(count)).encoded(count - 1)
        print(f"{count:>10} faces {float(own):>28.1f}{float(mapped):>12.1f}{time.perf_counter() - begin:>18.4f}")


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[48, 112, 256], help="image sides in pixels")
    parser.add_argument("--encodings", nargs="+", choices=["png", "jpeg"], default=["png", "jpeg"])
    parser.add_argument("--count", type=int, default=20_000, help="faces")
    parser.add_argument("--rounds", type=int, default=7, help="turns of every format")
    parser.add_argument("--reads", type=int, default=1000, help="decoded reads a turn; ten times as many of bytes")
    parser.add_argument("--folder", type=Path, help="where to write; the system's temporary folder if not given")
    options = parser.parse_args()
    if importlib.util.find_spec("lmdb") is None:
        print("LMDB is left out: `pip install lmdb` brings it")
    for size in options.sizes:
        for encoding in options.encodings:
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                compare(size, encoding, options.count, options.rounds, options.reads, Path(folder))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        opening((options.count, 10 * options.count), Path(folder))


if __name__ == "__main__":
    main()
