"""Images per second and core from disk to normalised training batches: the face store beside torchvision's ImageFolder.

    python benchmarks/input_pipeline.py data/03_primary/synthetic_fer/faces --crops 112 224

The faces of the store are resized to 8/7 of the crop and written as JPEG (quality 95, 4:4:4) into a new store, and the
same files into a folder for ImageFolder. Both decode, crop at random, flip half of the images and normalise, without
worker processes, in alternating rounds. Rates are by processor time, what a core of its own would do; a warm page cache
is assumed. The ratio is the median over the rounds, with its range.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import Compose, Normalize, RandomCrop, RandomHorizontalFlip, ToTensor

from openfer.io.face_store import Face, FaceStore, FaceStoreWriter
from openfer.methods.contract import Batch
from openfer.training.batches import Loader, testing_batches
from openfer.training.config import ImageSettings
from openfer.training.data import FaceDataset
from openfer.training.device import Plan

BATCH = 64
LEVEL, SPREAD = 0.5, 0.5
ONE_CORE = Plan(torch.device("cpu"), torch.float32, channels_last=True, compile=False, workers=0)


def write_both(source: FaceStore, side: int, count: int, folder: Path) -> FaceStore:
    """Write faces of a side into a store and, the same bytes, into files of one class; returns the store."""
    with FaceStoreWriter(folder / "store") as writer:
        for row in range(count):
            face = Image.fromarray(source.image(row % len(source))).resize((side, side), Image.Resampling.LANCZOS)
            writer.add(Face(f"{row:06d}", np.asarray(face), encoding="jpeg"))
    store = FaceStore(folder / "store")
    (folder / "files/face").mkdir(parents=True)
    for row in range(count):
        (folder / f"files/face/{row:06d}.jpg").write_bytes(store.encoded(row))
    return store


def of_store(
    store: FaceStore, side: int, crop: int, plan: Plan = ONE_CORE, batch: int = BATCH
) -> Callable[[], Iterable[Batch]]:
    """Return what loads an epoch of batches as training does."""
    images = ImageSettings(size=side, crop=crop, mean=LEVEL, std=SPREAD)
    labels = {"expression": np.zeros(len(store), np.int64)}
    faces = FaceDataset(store, np.arange(len(store)), labels, images, seed=0, training=True)
    loader = Loader(faces, plan)
    return lambda: loader.batches(testing_batches(faces, batch))


def of_folder(folder: Path, crop: int) -> Callable[[], Iterable[object]]:
    """Return what loads an epoch of batches by torchvision alone."""
    steps = Compose([RandomCrop(crop), RandomHorizontalFlip(), ToTensor(), Normalize([LEVEL] * 3, [SPREAD] * 3)])
    loader = DataLoader(ImageFolder(str(folder), steps), batch_size=BATCH, shuffle=True)
    return lambda: loader


def rate(epoch: Callable[[], Iterable[object]], count: int) -> float:
    """Return images per second of processor time."""
    begun = time.process_time()
    for _ in epoch():
        pass
    return count / (time.process_time() - begun)


def main() -> None:
    """Print a line for each crop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="any face store")
    parser.add_argument("--crops", nargs="+", type=int, default=[112, 224])
    parser.add_argument("--count", type=int, default=1024, help="images of an epoch")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    source = FaceStore(options.store)
    print(f"{options.count} images, batch {BATCH}, one thread, {options.rounds} alternating rounds")
    for crop in options.crops:
        with tempfile.TemporaryDirectory() as folder:
            store = write_both(source, crop * 8 // 7, options.count, Path(folder))
            own, other = of_store(store, crop * 8 // 7, crop), of_folder(Path(folder) / "files", crop)
            rate(own, options.count), rate(other, options.count)  # warm
            rounds = [(rate(own, options.count), rate(other, options.count)) for _ in range(options.rounds)]
        ours, theirs = (statistics.median(rates) for rates in zip(*rounds, strict=True))
        ratios = [one / two for one, two in rounds]
        print(
            f"{crop:>4} pixels  store {ours:6.0f} images/s  ImageFolder {theirs:6.0f} images/s  "
            f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
