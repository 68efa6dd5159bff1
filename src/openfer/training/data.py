"""Faces with labels as a torch data set; every draw depends on the epoch and the sample alone."""

import copy
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from openfer.errors import DataError, ParameterError
from openfer.faces.mirror import mirror_points
from openfer.io.face_store import FaceStore
from openfer.methods.contract import MISSING
from openfer.seeds import generator_for
from openfer.training.augmentation import Augmenter
from openfer.training.config import ImageSettings

Key = tuple[int, int]
"""(epoch, index): what a sampler asks a data set for."""

MIRRORED = 1
"""The epoch in which a data set of centre crops shows their mirror images; in epoch 0 it shows them as they are."""


class Sample(NamedTuple):
    """A face as an epoch sees it.

    Attributes:
        pixels: a crop, uint8, (3, S, S); or maps of frozen layers, float16, (D,).
        labels: class index by task.
        extras: by name, float32.
        targets: continuous labels by name, NaN where nobody rated it; neither crop nor flip changes them.
    """

    pixels: Tensor
    labels: dict[str, int]
    extras: dict[str, Tensor]
    targets: dict[str, float]


_LEAST_SHARE = 0.6
"""Of a face's side that a crop must show; papers show 0.8 and more."""


_NOTHING: Mapping[str, np.ndarray] = MappingProxyType({})


class _Window(NamedTuple):
    """Which part of an image is taken, pixels, and whether it is mirrored."""

    top: int
    left: int
    height: int
    width: int
    mirrored: bool

    def of_image(self, image: np.ndarray) -> np.ndarray:
        crop = image[self.top : self.top + self.height, self.left : self.left + self.width]
        return crop[:, ::-1] if self.mirrored else crop

    def of_landmarks(self, landmarks: np.ndarray) -> np.ndarray:
        """Return x, y and confidence in the window's pixels, (68, 3); a mirrored face's points keep their meaning."""
        moved = landmarks - (self.left, self.top, 0)
        return mirror_points(moved, self.width) if self.mirrored else moved


class Maps(Protocol):
    """Maps of frozen layers, by face."""

    def of(self, index: int, mirrored: bool) -> Tensor:
        """Return the maps of a face or of its mirror image, (D,)."""
        ...


class Faces(Protocol):
    """What the trainer and the predictor need of a data set.

    Attributes:
        images: crop and normalisation.
        labels: task -> int64 (N,), :data:`MISSING` where unlabelled.
        extras: name -> float32 (N, *shape), in pixels of the stored faces.
        targets: name -> float32 (N,), NaN where nobody rated the face.
        sample_ids: (N,) names.
        datasets: (N,) name of the dataset of each.
    """

    images: ImageSettings
    labels: Mapping[str, np.ndarray]
    extras: Mapping[str, np.ndarray]
    targets: Mapping[str, np.ndarray]
    sample_ids: np.ndarray
    datasets: np.ndarray

    def __len__(self) -> int:
        """Return N."""
        ...

    def __getitem__(self, key: Key) -> Sample:
        """Return the sample as it looks in an epoch."""
        ...


class FaceDataset:
    """Rows of one face store.

    Args:
        store: where the faces are.
        rows: row numbers in the store, (N,).
        labels: task -> class index, (N,); :data:`MISSING` where unlabelled.
        images: crop, flip, augmentation, normalisation.
        seed: root of the augmentation's draws.
        training: random crop, flip and augmentation; else the centre crop.
        extras: by name. ``landmarks``: x, y (pixels of the stored face) and confidence, (N, 68, 3); they follow every
            step of the image. Any other: (N, 2, D), of the face and of its mirror image.
        decodes: whether images are read; if not, pixels are zero.
        targets: continuous labels by name, (N,); NaN where nobody rated the face.
        dataset: its name.

    Raises:
        ParameterError: if the crop is larger than a face, or shows a small part of it only, or if an
            augmentation covers points.
        DataError: if labels, extras or targets and rows differ in number.
    """

    def __init__(
        self,
        store: FaceStore,
        rows: np.ndarray,
        labels: Mapping[str, np.ndarray],
        images: ImageSettings,
        seed: int,
        training: bool,
        extras: Mapping[str, np.ndarray] = _NOTHING,
        targets: Mapping[str, np.ndarray] = _NOTHING,
        decodes: bool = True,
        dataset: str = "",
    ) -> None:
        named = {f"labels of {task}": v for task, v in labels.items()} | {
            f"values of {n}": v for n, v in targets.items()
        }
        for what, values in (named | dict(extras)).items():
            if len(values) != len(rows):
                raise DataError(f"{len(values)} {what} for {len(rows)} faces of {store.folder}; give one each")
        if "landmarks" in extras and any(step.kind == "erase" for step in images.augment):
            raise ParameterError(
                "images.augment has erase, which covers landmarks that would stay as sure as before; take it out for "
                "a method that looks at landmarks"
            )
        self.store = store
        self.rows = np.asarray(rows, dtype=np.int64)
        self.labels: Mapping[str, np.ndarray] = {
            task: np.asarray(values, dtype=np.int64) for task, values in labels.items()
        }
        self.extras: Mapping[str, np.ndarray] = {
            name: np.asarray(values, dtype=np.float32) for name, values in extras.items()
        }
        self.targets: Mapping[str, np.ndarray] = {
            name: np.asarray(values, dtype=np.float32) for name, values in targets.items()
        }
        self.images = images
        self.seed = seed
        self.training = training
        self._blank = None if decodes else np.zeros((images.crop, images.crop, 3), np.uint8)
        self._augmenter = Augmenter(images) if training and images.augment and decodes else None
        self._maps: Maps | None = None
        self._crops_itself = any(step.kind == "resized_crop" for step in images.augment)
        self.sample_ids = store.sample_ids[self.rows]
        self.datasets = np.full(len(self.rows), dataset, dtype=object)  # a reference each
        self._check_crop()

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.rows)

    def plain(self) -> Self:
        """Return the same faces as centre crops."""
        other = copy.copy(self)
        other.training, other._augmenter = False, None
        return other

    def reading(self, maps: Maps) -> Self:
        """Return the same faces with maps in the place of pixels; no image is read."""
        other = copy.copy(self)
        other._maps, other._blank = maps, np.zeros((self.images.crop, self.images.crop, 3), np.uint8)
        return other

    def hashes(self) -> list[str]:
        """Return the hash of each stored face, in order."""
        return self.store.table(["sha256"])["sha256"].to_numpy()[self.rows].tolist()

    def __getitem__(self, key: Key) -> Sample:
        """Return sample ``index`` as it looks in ``epoch``.

        Raises:
            DataError: if its image is empty or damaged.
        """
        epoch, index = key
        return self.sample(index, generator_for(self.seed, "augment", epoch, index), mirrored=epoch == MIRRORED)

    def sample(self, index: int, draw: np.random.Generator, *, mirrored: bool) -> Sample:
        """Return a sample augmented by ``draw``; in testing ``mirrored`` decides in its place."""
        stored = self.store.image(int(self.rows[index])) if self._blank is None else self._blank
        image = self._resized(stored)
        window = self._random_window(image, draw) if self.training else self._centre_window(image, mirrored)
        if self._maps is None:
            pixels = torch.from_numpy(np.ascontiguousarray(window.of_image(image).transpose(2, 0, 1)))
        else:
            pixels = self._maps.of(index, window.mirrored)
        extras = {
            name: torch.from_numpy(values[index, int(window.mirrored)])
            for name, values in self.extras.items()
            if name != "landmarks"
        }
        if "landmarks" in self.extras:
            scale = (image.shape[1] / stored.shape[1], image.shape[0] / stored.shape[0], 1)
            followed = window.of_landmarks(self.extras["landmarks"][index] * scale)
            extras["landmarks"] = torch.from_numpy(followed.astype(np.float32))
        if self._augmenter is not None and "landmarks" in extras:
            pixels, extras["landmarks"] = self._augmenter.with_landmarks(pixels, extras["landmarks"], draw)
        elif self._augmenter is not None:
            pixels = self._augmenter(pixels, draw)
        labels = {task: int(values[index]) for task, values in self.labels.items()}
        return Sample(pixels, labels, extras, {name: float(values[index]) for name, values in self.targets.items()})

    def _resized(self, image: np.ndarray) -> np.ndarray:
        size = None if self._blank is not None else self.images.size
        if size is None or image.shape[:2] == (size, size):
            return image
        return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))

    def _random_window(self, image: np.ndarray, draw: np.random.Generator) -> _Window:
        size = self.images.crop
        top, left, height, width = 0, 0, *image.shape[:2]
        if not self._crops_itself:
            top, left = (int(draw.integers(side - size + 1)) for side in image.shape[:2])
            height = width = size
        return _Window(top, left, height, width, mirrored=self.images.flip and draw.random() < 0.5)

    def _centre_window(self, image: np.ndarray, mirrored: bool) -> _Window:
        size = self.images.crop
        top, left = ((side - size) // 2 for side in image.shape[:2])
        return _Window(top, left, size, size, mirrored)

    def _check_crop(self) -> None:
        if not len(self.rows) or self._blank is not None:
            return
        crop, size = self.images.crop, self.images.size
        sides = self.store.table(["height", "width"]).to_numpy()[self.rows]
        least, most = (size, size) if size else (int(sides.min()), int(sides.max()))
        if least < crop:
            raise ParameterError(
                f"images.crop is {crop} pixels, but face {self.sample_ids[sides.min(axis=1).argmin()]} of "
                f"{self.store.folder} has a side of {least}; lower images.crop, or set images.size to resize faces"
            )
        if crop < _LEAST_SHARE * most:
            raise ParameterError(
                f"images.crop is {crop} pixels, but faces of {self.store.folder} have up to {most}: a crop would show "
                f"{crop / most:.0%} of a face's side; set images.size, such as {round(crop * 8 / 7)}, to resize them"
            )


class ConcatFaces:
    """Several data sets one after the other; a task that one of them lacks is missing there.

    Args:
        parts: at least one; the first one's images and seed are the whole's.

    Raises:
        ParameterError: if the parts crop or normalise differently.
    """

    def __init__(self, parts: Sequence[FaceDataset]) -> None:
        self.parts = tuple(parts)
        self.images = self.parts[0].images
        self.seed = self.parts[0].seed
        if any(part.images != self.images for part in self.parts):
            raise ParameterError(
                "the parts of a training set have different images settings: "
                f"{[part.images.model_dump() for part in self.parts]}; a batch needs the same ones for all"
            )
        self._ends = np.cumsum([len(part) for part in self.parts])
        self.sample_ids = np.concatenate([part.sample_ids for part in self.parts])
        self.datasets = np.concatenate([part.datasets for part in self.parts])
        tasks = dict.fromkeys(task for part in self.parts for task in part.labels)
        self.labels: Mapping[str, np.ndarray] = {
            task: np.concatenate([_labels_of(part, task) for part in self.parts]) for task in tasks
        }
        self.extras: Mapping[str, np.ndarray] = {
            name: np.concatenate([part.extras[name] for part in self.parts]) for name in self.parts[0].extras
        }
        self.targets: Mapping[str, np.ndarray] = {
            name: np.concatenate([part.targets[name] for part in self.parts]) for name in self.parts[0].targets
        }

    def relabel(self, task: str, labels: np.ndarray) -> None:
        """Give all samples other labels of a task, (N,); those of the parts stay."""
        self.labels = dict(self.labels) | {task: labels}

    def __len__(self) -> int:
        """Return the number of samples of all parts."""
        return int(self._ends[-1])

    def __getitem__(self, key: Key) -> Sample:
        """Return a sample of the part that ``index`` falls into."""
        epoch, index = key
        number = int(np.searchsorted(self._ends, index, side="right"))
        part = self.parts[number]
        start = int(self._ends[number]) - len(part)
        draw = generator_for(self.seed, "augment", epoch, index)
        sample = part.sample(index - start, draw, mirrored=epoch == MIRRORED)
        return sample._replace(labels={task: int(values[index]) for task, values in self.labels.items()})


def _labels_of(part: FaceDataset, task: str) -> np.ndarray:
    return part.labels.get(task, np.full(len(part), MISSING, dtype=np.int64))
