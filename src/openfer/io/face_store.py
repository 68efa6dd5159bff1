"""The face store: encoded crops with random access by row and constant memory, plus a table."""

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError

from openfer.errors import DataError, StorageError
from openfer.io.atomic import no_room_message

_PIXELS = "faces.bin"
_TABLE = "faces.parquet"


@dataclass
class Face:
    """One aligned crop and what is known of its geometry.

    Attributes:
        sample_id: the row's stable name.
        image: RGB, uint8, shape (S, S, 3).
        points5: eye centres, nose tip, mouth corners in crop pixels, shape (5, 2), or None.
        points68: the 68 iBUG points in crop pixels, shape (68, 2), or None.
        confidence68: one confidence in [0, 1] per point, shape (68,), or None.
        detection_score: in [0, 1]; 1 where the crop is known and not detected.
        transform: similarity from source to crop pixels, shape (2, 3), or None for the identity.
    """

    sample_id: str
    image: np.ndarray
    points5: np.ndarray | None = None
    points68: np.ndarray | None = None
    confidence68: np.ndarray | None = None
    detection_score: float = 1.0
    transform: np.ndarray | None = None


class FaceStoreWriter:
    """Writes a face store into a folder; a context manager.

    The folder is complete only after the block has ended without an error.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[dict[str, Any]] = []
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Self:
        """Create the folder and open the pixel file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._stream = (self._folder / _PIXELS).open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the pixel file; without an error, write the table."""
        if self._stream is not None:
            self._stream.close()
        if kind is None:
            pd.DataFrame(self._rows).to_parquet(self._folder / _TABLE, index=False)

    def add(self, face: Face) -> None:
        """Append one face, encoded as PNG."""
        buffer = io.BytesIO()
        Image.fromarray(face.image).save(buffer, format="PNG", compress_level=3)
        self.add_encoded(buffer.getvalue(), _describe(face))

    def add_store(self, store: "FaceStore") -> None:
        """Append all faces of another store, in its order."""
        for row, record in enumerate(store.table().to_dict("records")):
            self.add_encoded(store.encoded(row), {str(name): value for name, value in record.items()})

    def add_encoded(self, content: bytes, record: dict[str, Any]) -> None:
        """Append an encoded image with its table record."""
        if self._stream is None:
            raise RuntimeError("FaceStoreWriter is used outside its `with` block")
        offset = self._stream.tell()
        try:
            self._stream.write(content)
        except OSError as error:
            raise StorageError(no_room_message(self._folder)) from error
        placed = {"offset": offset, "length": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        self._rows.append(record | placed)


class FaceStore:
    """Reads a face store; pixels stay on disk behind a memory map.

    Args:
        folder: where :class:`FaceStoreWriter` wrote.

    Raises:
        DataError: if a part of the store is missing or the pixel file is shorter than the table says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in (_PIXELS, _TABLE):
            if not (folder / name).is_file():
                raise DataError(f"face store {folder} lacks {name}; delete the folder and run its pipeline again")
        index = pd.read_parquet(folder / _TABLE, columns=["sample_id", "offset", "length"])
        self.sample_ids = index["sample_id"].to_numpy(dtype=str)
        self._offsets = index["offset"].to_numpy(np.int64)
        self._lengths = index["length"].to_numpy(np.int64)
        size = (folder / _PIXELS).stat().st_size
        needed = int((self._offsets + self._lengths).max(initial=0))
        if size < needed:
            raise DataError(
                f"face store {folder / _PIXELS} has {size} bytes, its table needs {needed}: it is truncated; "
                "restore it with `dvc checkout`, or delete the folder and run its pipeline again"
            )
        self._pixels = np.memmap(folder / _PIXELS, np.uint8, mode="r") if size else np.zeros(0, np.uint8)

    def __reduce__(self) -> tuple[type["FaceStore"], tuple[Path]]:
        """Travel to another process as a folder, not as pixels."""
        return FaceStore, (self.folder,)

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.sample_ids)

    def table(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the table of points, scores and hashes, one row per face."""
        return pd.read_parquet(self.folder / _TABLE, columns=list(columns) if columns else None)

    def encoded(self, row: int) -> bytes:
        """Return the image file of a row as it was stored."""
        start = self._offsets[row]
        return self._pixels[start : start + self._lengths[row]].tobytes()

    def image(self, row: int) -> np.ndarray:
        """Decode one face: RGB, uint8, shape (S, S, 3).

        Raises:
            DataError: if the stored image is empty or damaged; the message names the sample.
        """
        content = self.encoded(row)
        try:
            with Image.open(io.BytesIO(content)) as image:
                return np.array(image.convert("RGB"))
        except (UnidentifiedImageError, OSError) as error:
            reason = "not an image" if isinstance(error, UnidentifiedImageError) else str(error)
            raise DataError(
                f"face {self.sample_ids[row]} in {self.folder} cannot be decoded ({len(content)} bytes, {reason}); "
                "replace the source image, or take its row out of the split, and run again"
            ) from error

    def rows_of(self, sample_ids: Iterable[str]) -> np.ndarray:
        """Return the row numbers of samples, in the order given, int64.

        Raises:
            DataError: if a sample is not in the store; the message names the first ones.
        """
        rows = pd.Index(self.sample_ids).get_indexer(pd.Index(list(sample_ids)))
        if (rows < 0).any():
            missing = [name for name, row in zip(sample_ids, rows, strict=True) if row < 0]
            raise DataError(
                f"{len(missing)} samples of the split have no face in {self.folder}, the first {missing[:3]}; "
                "the split and the faces come from different data: run the dataset's pipeline again"
            )
        return rows.astype(np.int64)


def _describe(face: Face) -> dict[str, Any]:
    def flat(array: np.ndarray | None) -> list[float] | None:
        return None if array is None else array.astype(np.float32).ravel().tolist()

    return {
        "sample_id": face.sample_id,
        "height": face.image.shape[0],
        "width": face.image.shape[1],
        "points5": flat(face.points5),
        "points68": flat(face.points68),
        "confidence68": flat(face.confidence68),
        "detection_score": float(face.detection_score),
        "transform": flat(face.transform),
    }
