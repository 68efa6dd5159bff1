"""Align a whole dataset into a face store and a quarantine, in parallel and resumably."""

import re
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.faces.alignment import Aligner, Find68, FindFaces, NoFaceError
from openfer.faces.config import FacesConfig
from openfer.faces.perceptual_hash import perceptual_hash
from openfer.faces.sources import MISSING, ReadImage, readers
from openfer.io.atomic import atomic_path
from openfer.io.face_store import EncodedFace, Face, assemble_store, encode, write_shard
from openfer.io.images import SourceImage
from openfer.io.memory import give_back_memory
from openfer.schemas import PLACES, QUARANTINE
from openfer.workers import in_processes, in_threads, shared, with_bar

_ROWS_PER_SHARD = 256
"""Fixed, so that shards do not depend on the number of workers; a kill loses the work on one shard per worker."""


_OF_FILES = re.compile("not read|cannot be read|not an image|zero bytes|truncated|damaged|megapixels|megabytes|32-bit")
"""Reasons that lie in a file itself, whatever root and alignment are."""


@dataclass(frozen=True)
class _Shard:
    """A run of rows with all that a worker process needs to align them."""

    rows: pd.DataFrame
    root: Path
    config: FacesConfig
    path: Path
    threads: int


@dataclass(frozen=True)
class _Pending(Collection[_Shard]):
    """The shards to be done; the rows of each are read when it is its turn."""

    sources: Iterable[pd.DataFrame]
    root: Path
    config: FacesConfig
    paths: list[Path]
    threads: int

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[_Shard]:
        wanted = {int(path.stem): path for path in self.paths}
        for number, rows in enumerate(_cut(self.sources)):
            if number in wanted:
                yield _Shard(rows, self.root, self.config, wanted[number], self.threads)

    def __contains__(self, shard: object) -> bool:
        return isinstance(shard, _Shard) and shard.path in self.paths


def _cut(tables: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield the rows of tables in runs of a shard's length; the last may be shorter."""
    waiting = pd.DataFrame()
    for table in tables:
        waiting = pd.concat([waiting, table[list(PLACES)]]) if len(waiting) else table[list(PLACES)]
        whole = len(waiting) - len(waiting) % _ROWS_PER_SHARD
        for start in range(0, whole, _ROWS_PER_SHARD):
            yield waiting.iloc[start : start + _ROWS_PER_SHARD]
        waiting = waiting.iloc[whole:]
    if len(waiting):
        yield waiting


def _quarantine(shard: Path) -> Path:
    return shard.with_suffix(".quarantine.parquet")


def _lacks(shard: Path) -> bool:
    """Return whether files were missing when a shard was made: its disk may be mounted now."""
    return bool((pd.read_parquet(_quarantine(shard), columns=["reason"])["reason"] == MISSING).any())


def align_set(
    sources: Iterable[pd.DataFrame], count: int, root: Path, config: FacesConfig, work: Path, name: str
) -> tuple[Path, pd.DataFrame]:
    """Cut out the face of every row; a killed run goes on from its finished shards, and looks for missing files again.

    Nothing disappears: every row is either a face of the store or a line of the quarantine. The stored bytes
    do not depend on the number of workers.

    Args:
        sources: the columns ``sample_id, path, frame, landmarks, box``, one row per face, in any number of tables.
        count: rows of all of them.
        root: the raw folder that paths are relative to.
        config: how faces are found and cut out.
        work: a work folder of this dataset alone.
        name: the dataset, for the progress bar.

    Returns:
        The face store ``work / "faces"``, in the order of the rows; the quarantine,
        valid under :data:`openfer.schemas.QUARANTINE`.

    Raises:
        DataError: if not one row has a face; the message tells the most frequent reason.
        StorageError: if the disk is full.
        OpenferError: if a worker was killed.
    """
    shards = [work / "shards" / f"{number:06d}.arrow" for number in range(-(-count // _ROWS_PER_SHARD))]
    missing = [shard for shard in shards if not shard.is_file() or _lacks(shard)]
    processes, threads = shared(len(missing), config.workers)
    pending = _Pending(sources, root, config, missing, threads)
    give_back_memory()  # what loading the table has left behind, before the workers need theirs
    done = count - sum(min(_ROWS_PER_SHARD, count - int(path.stem) * _ROWS_PER_SHARD) for path in missing)
    with_bar(in_processes(_align, pending, processes, f"{name}.faces.workers"), name, count, done, "row")
    quarantine = pd.concat([pd.read_parquet(_quarantine(shard)) for shard in shards], ignore_index=True)
    if len(quarantine) == count:
        reason, most = next(iter(quarantine["reason"].value_counts().items()))
        raise DataError(
            f"none of the {count} rows of {name} has a face, most ({most}) because of: {reason}; "
            + _remedy(str(reason), name, root, config)
        )
    faces = assemble_store(work / "faces", shards)
    return faces, QUARANTINE.validate(quarantine)


def _remedy(reason: str, name: str, root: Path, config: FacesConfig) -> str:
    if _OF_FILES.search(reason):
        return f"mend the files below {root}"
    return f"check root ({root}) and {name}.faces.align ({config.align})"


def _align(shard: _Shard) -> int:
    """Align the rows of a shard: first the quarantine is written, then the shard, which says that both are done."""
    records = shard.rows.to_dict("records")
    images = readers(shard.root, shard.rows, shard.config.largest_megapixels)
    pairs = zip(records, images, strict=True)
    results = list(in_threads(partial(_face_or_reason, shard.config), pairs, shard.threads))
    refused = [
        {name: record[name] for name in ("sample_id", "path", "frame")} | {"reason": result}
        for record, result in zip(records, results, strict=True)
        if isinstance(result, str)
    ]
    with atomic_path(_quarantine(shard.path)) as temporary:
        QUARANTINE.validate(pd.DataFrame(refused, columns=list(QUARANTINE.columns))).to_parquet(temporary, index=False)
    write_shard(shard.path, [result for result in results if not isinstance(result, str)])
    return len(shard.rows)


def _face_or_reason(config: FacesConfig, source: tuple[Mapping[str, Any], ReadImage]) -> EncodedFace | str:
    """Return the face of a row, or the reason why there is none."""
    record, read = source
    image = read()
    if isinstance(image, str):
        return image
    points = None if record["landmarks"] is None else _pairs(record["landmarks"], image)
    box = None if record["box"] is None else _pairs(record["box"], image).ravel()
    try:
        aligned = _aligner(config)(image.pixels, points, box)
    except NoFaceError as reason:
        return str(reason)
    return encode(
        Face(
            sample_id=record["sample_id"],
            image=aligned.crop,
            points5=aligned.points5,
            detection_score=aligned.score,
            transform=aligned.transform * [[*image.scale, 1.0]],  # from the pixels of the file itself
            perceptual_hash=perceptual_hash(aligned.crop),
            encoding=config.encoding,
        )
    )


def _pairs(numbers: Any, image: SourceImage) -> np.ndarray:
    """Return coordinates of the file in pixels of the image as it was read, (N, 2)."""
    return np.asarray(numbers, float).reshape(-1, 2) * image.scale


_own = threading.local()


def _aligner(config: FacesConfig) -> Aligner:
    """Return what a thread aligns all its images with: detectors serve one thread at a time."""
    if getattr(_own, "config", None) != config:
        _own.config, _own.aligner = config, Aligner(config, _find_faces(config), _find_68(config))
    aligner: Aligner = _own.aligner
    return aligner


def _find_faces(config: FacesConfig) -> FindFaces | None:
    if config.align != "detect":
        return None
    if config.detector == "mediapipe":
        from openfer.faces.mediapipe.detector import MediapipeDetector

        return MediapipeDetector(config.smallest_share_of_detector, config.smallest_score)
    import torch

    from openfer.faces.mtcnn import MtcnnDetector

    return MtcnnDetector(config.smallest_share_of_detector, "cuda" if torch.cuda.is_available() else "cpu")


def _find_68(config: FacesConfig) -> Find68 | None:
    if config.refine == "none":
        return None
    from openfer.faces.dlib68 import Dlib68

    found = Dlib68(jitters=0)  # alignment does not ask how sure a point is
    return lambda crops: found.find(crops)[0]
