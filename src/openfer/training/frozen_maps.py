"""Maps of the frozen layers of a method, computed once for each face and kept on disk."""

import copy
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from openfer.errors import ParameterError
from openfer.io.atomic import atomic_path
from openfer.methods.contract import Method
from openfer.nn.staged_trunk import StagedTrunk
from openfer.training.batches import Loader, testing_batches
from openfer.training.config import TrainingConfig
from openfer.training.data import ConcatFaces, FaceDataset
from openfer.training.device import Plan, resolve
from openfer.training.recipe import fingerprint_of_tensors

_log = logging.getLogger(__name__)

_BATCH_SIZE = 64
_DIGITS = 32


@dataclass(frozen=True)
class MapFile:
    """Maps of faces in a file; they stay there behind a memory map.

    Attributes:
        path: a NumPy file: float16, (N, views, D). The second view, if there is one, is of the mirror image.
    """

    path: Path

    @cached_property
    def values(self) -> np.ndarray:
        """The maps."""
        found: np.ndarray = np.load(self.path, mmap_mode="r")
        return found

    def of(self, index: int, mirrored: bool) -> Tensor:
        """Return the maps of a face or of its mirror image, (D,)."""
        return torch.from_numpy(np.array(self.values[index, int(mirrored)]))

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process as a path, not as maps."""
        return {"path": self.path}


def reading_maps(
    faces: ConcatFaces, method: Method, config: TrainingConfig, folder: Path, code: Mapping[str, str]
) -> ConcatFaces:
    """Return the same faces with maps of a method's frozen layers in the place of pixels.

    What is in the folder is not computed again: the name of a file is a hash of all that decides its content. Files
    may be removed when no training reads them.

    Args:
        faces: of one crop each, which may be mirrored.
        method: with its first weights and frozen layers; it is left on the CPU.
        config: device and precision, which are also those of the maps.
        folder: where the maps are kept.
        code: hashes of the code that computes maps, by module.

    Raises:
        DataError: if an image is damaged.
        ParameterError: if maps are too large for float16.
        StorageError: if the disk is full.
    """
    trunk = method.backbone()
    assert isinstance(trunk, StagedTrunk)  # other methods cannot be frozen
    parts = [
        part.reading(_found(part, method, trunk, resolve(config), folder, dict(code), _views(part, config)))
        if len(part)
        else part
        for part in faces.parts
    ]
    return ConcatFaces(parts)


def _found(
    faces: FaceDataset, method: Method, trunk: StagedTrunk, plan: Plan, folder: Path, code: dict[str, str], views: int
) -> MapFile:
    """Return the file of a data set's maps, which is written if it is not there."""
    plain, whole = faces.plain(), method.reads_all_maps
    network = copy.deepcopy(trunk).eval().to(plan.device)
    network.to(memory_format=plan.memory_format)
    images = faces.images.model_dump(mode="json", include={"size", "crop", "mean", "std", "channels"})
    layers = method.frozen_layers
    states = {f"{number}.{key}": own for number, part in enumerate(layers) for key, own in part.state_dict().items()}
    weights = [[*map(repr, layers)], fingerprint_of_tensors(states)]
    decisive = [images, whole, views, plan.facts(), weights, code, faces.hashes()]
    name = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:_DIGITS]
    path = folder / f"{name}.npy"
    if not path.is_file():
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            _write(file, network, plain, plan, whole=whole, views=views)
    with torch.inference_mode():  # so that the trunk knows how large its maps are
        trunk.packed_maps(torch.zeros(1, 3, faces.images.crop, faces.images.crop), whole)
    maps = MapFile(path)
    _log.info(
        "%s reads maps of its frozen layers: %d faces, %d views, %d bytes a face, %.0f MB in %s",
        method.name, len(faces), views, maps.values[0].nbytes, path.stat().st_size / 1e6, path,
    )  # fmt: skip
    return maps


def _views(faces: FaceDataset, config: TrainingConfig) -> int:
    """Return 2 where mirror images are looked at, too."""
    return 2 if (faces.images.flip if faces.training else config.average_mirrored) else 1


@torch.inference_mode()
def _write(file: BinaryIO, network: StagedTrunk, faces: FaceDataset, plan: Plan, *, whole: bool, views: int) -> None:
    batches = Loader(faces, plan).batches(testing_batches(faces, _BATCH_SIZE))
    for batch in tqdm(batches, "frozen maps", -(-len(faces) // _BATCH_SIZE), unit="batch"):
        shown = (batch.images, batch.images.flip(3))[:views]
        with plan.autocast():
            sides = [network.packed_maps(images, whole) for images in shown]
        maps = torch.stack(sides, dim=1).half().cpu().numpy()
        if not np.isfinite(maps).all():
            raise ParameterError(
                "maps of the frozen layers are larger than float16 can hold (65504), so that they cannot be kept; set "
                "initialisation.cache_frozen to false"
            )
        if not file.tell():
            header = {"descr": "<f2", "fortran_order": False, "shape": (len(faces), *maps.shape[1:])}
            np.lib.format.write_array_header_1_0(file, header)
        file.write(maps.astype("<f2").tobytes())
