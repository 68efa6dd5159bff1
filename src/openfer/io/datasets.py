"""Kedro datasets of openfer's own formats: checkpoints, face stores, pictures to look at, folders of nodes."""

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import ImagePreview, TablePreview
from kedro_datasets.pandas import ParquetDataset
from kedro_datasets.pillow import ImageDataset
from PIL import Image, ImageSequence

from openfer.errors import DataError
from openfer.io.atomic import atomic_path, write_bytes
from openfer.io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from openfer.io.copies import fetch
from openfer.io.face_store import FaceStore


class CheckpointDataset(AbstractDataset[Checkpoint, Checkpoint]):
    """A checkpoint in a safetensors file; see :mod:`openfer.io.checkpoint`."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Checkpoint:
        """Read tensors and facts."""
        return load_checkpoint(self._filepath)

    def save(self, data: Checkpoint) -> None:
        """Write atomically."""
        save_checkpoint(self._filepath, data)

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class ModelFileDataset(AbstractDataset[bytes, Path]):
    """A model in one ONNX file; loaded as its path, since opening it checks it."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """Return the file's place."""
        return self._filepath

    def save(self, data: bytes) -> None:
        """Write atomically."""
        write_bytes(self._filepath, data)

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class FaceStoreDataset(AbstractDataset[Path, FaceStore]):
    """A folder of aligned faces; saved by moving a finished folder into its place."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> FaceStore:
        """Open the store; pixels stay on disk."""
        fetch(self._filepath)
        return FaceStore(self._filepath)

    def save(self, data: Path) -> None:
        """Take over the folder that a node has finished writing."""
        with atomic_path(self._filepath) as temporary:
            shutil.move(data, temporary)

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the first faces' table in Kedro-Viz."""
        head = self.load().table(["sample_id", "height", "width", "detection_score", "sha256"]).head(nrows)
        return TablePreview(json.loads(head.to_json(orient="split")))

    def _exists(self) -> bool:
        return self._filepath.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class FeatureTableDataset(ParquetDataset):
    """A Parquet table that another pipeline makes; where it is missing, the error names the command.

    Args:
        made_by: the command.
        **kwargs: of the Parquet dataset.
    """

    def __init__(self, *, made_by: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._made_by = made_by

    def load(self) -> pd.DataFrame:
        """Read the table.

        Raises:
            DataError: if it is not there.
        """
        if not self.exists():
            raise DataError(f"{self._filepath} is not there; make it by `{self._made_by}`, then run this again")
        return super().load()


class PictureDataset(ImageDataset):
    """An image file that Kedro-Viz shows."""

    def preview(self) -> ImagePreview:
        """Return the file for Kedro-Viz."""
        return ImagePreview(base64.b64encode(Path(self._get_load_path()).read_bytes()).decode())


class AnimationDataset(AbstractDataset[list[Image.Image], list[Image.Image]]):
    """An animated GIF that repeats without end.

    Args:
        filepath: path of the file.
        milliseconds: duration of each picture.
        metadata: Kedro's.
    """

    def __init__(self, *, filepath: str, milliseconds: int = 80, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self._milliseconds = milliseconds
        self.metadata = metadata

    def save(self, data: list[Image.Image]) -> None:
        """Write pictures of one size, one after the other."""
        with atomic_path(self._filepath) as temporary:
            data[0].save(
                temporary, format="GIF", save_all=True, append_images=data[1:], duration=self._milliseconds, loop=0
            )

    def load(self) -> list[Image.Image]:
        """Return the pictures, RGB."""
        with Image.open(self._filepath) as animation:
            return [frame.convert("RGB") for frame in ImageSequence.Iterator(animation)]

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class WorkFolderDataset(AbstractDataset[None, Path]):
    """A folder where a long node keeps what it needs to go on after a kill.

    The runner names the inner folder after the node's fingerprint, so work that was begun with
    other parameters, data or code is never continued by mistake, and clears it when the node is done.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self._fingerprint = "unnamed"
        self.metadata = metadata

    def begin(self, fingerprint: str, *, afresh: bool) -> None:
        """Choose the inner folder; remove those of other fingerprints, and this one when ``afresh``."""
        self._fingerprint = fingerprint[:16]
        if self._filepath.is_dir():
            for folder in self._filepath.iterdir():
                if afresh or folder.name != self._fingerprint:
                    shutil.rmtree(folder)

    def clear(self) -> None:
        """Remove all work: the node's outputs are saved."""
        shutil.rmtree(self._filepath, ignore_errors=True)

    def load(self) -> Path:
        """Return the inner folder, made if needed."""
        folder = self._filepath / self._fingerprint
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def save(self, data: None) -> None:
        """Refuse: nodes write into the folder that they are given."""
        raise DatasetError("a work folder is an input; nodes write into the path that they load")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class CacheFolderDataset(AbstractDataset[None, Path]):
    """A folder where nodes keep what they would compute again; each file is named by a hash of all that decides it.

    It is no input that could make a node's outputs stale, and may be removed at any time.
    """

    def __init__(self, *, folder: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(folder)
        self.metadata = metadata

    def load(self) -> Path:
        """Return the folder."""
        return self._folder

    def save(self, data: None) -> None:
        """Refuse: nodes write into the folder that they are given."""
        raise DatasetError("a cache folder is an input; nodes write into the path that they load")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}
