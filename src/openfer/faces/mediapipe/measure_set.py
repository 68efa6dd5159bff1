"""Measure every face of a store, in parallel and resumably."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from openfer.faces.mediapipe.measure import FaceMeter, flipped
from openfer.io.atomic import atomic_path
from openfer.io.face_store import FaceStore
from openfer.schemas import GEOMETRY
from openfer.workers import in_processes, with_bar

_ROWS_PER_PART = 256
"""Fixed, so that parts do not depend on the number of workers; a kill loses the work on one part per worker."""


@dataclass(frozen=True)
class _Part:
    """A run of rows, with all that a worker process needs to measure them."""

    faces: FaceStore
    start: int
    path: Path

    @property
    def rows(self) -> range:
        return range(self.start, min(self.start + _ROWS_PER_PART, len(self.faces)))


def measure_set(faces: FaceStore, work: Path, name: str) -> pd.DataFrame:
    """Measure every face; an interrupted run resumes from its finished parts.

    The table does not depend on the number of workers.

    Args:
        faces: a store of aligned crops.
        work: a work folder of this measurement alone.
        name: of the dataset, for the progress bar.

    Returns:
        One row per face in the order of the store, valid under :data:`openfer.schemas.GEOMETRY`.

    Raises:
        DataError: if a stored image is damaged.
        StorageError: if the disk is full.
        OpenferError: if a worker was killed.
    """
    work.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(faces), _ROWS_PER_PART)
    parts = [_Part(faces, start, work / f"{start:08d}.parquet") for start in starts]
    pending = [part for part in parts if not part.path.is_file()]
    done = len(faces) - sum(len(part.rows) for part in pending)
    counts = in_processes(_measure, pending, "auto", "cores (taskset)")
    with_bar(counts, f"geometry of {name}", len(faces), done, "face")
    empty = pd.DataFrame(columns=list(GEOMETRY.columns))
    tables = [pd.read_parquet(part.path) for part in parts] or [empty]
    return GEOMETRY.validate(pd.concat(tables, ignore_index=True))


def _measure(part: _Part) -> int:
    """Measure the rows of a part, write their table, and return how many they are."""
    known = part.faces.table(["sample_id", "points5"]).iloc[part.start : part.rows.stop]
    records = [
        _record(name, part.faces.image(row), points)
        for row, name, points in zip(part.rows, known["sample_id"], known["points5"], strict=True)
    ]
    with atomic_path(part.path) as temporary:
        pd.DataFrame(records, columns=list(GEOMETRY.columns)).to_parquet(temporary, index=False)
    return len(records)


def _record(name: str, crop: np.ndarray, points: Any) -> dict[str, Any]:
    points5 = None if points is None else np.asarray(points, dtype=float).reshape(5, 2)
    measured = _meter()(crop, points5)
    mirrored = _meter()(*flipped(crop, points5))
    return {
        "sample_id": name,
        "presence": measured.presence,
        "yaw": measured.pose.yaw,
        "pitch": measured.pose.pitch,
        "roll": measured.pose.roll,
        "blendshapes": measured.blendshapes,
        "mesh": measured.mesh.ravel(),
        "mirrored_blendshapes": mirrored.blendshapes,
        "mirrored_mesh": mirrored.mesh.ravel(),
    }


@lru_cache(maxsize=1)
def _meter() -> FaceMeter:
    """Return the landmarker with which a process measures its faces."""
    return FaceMeter()
