"""Batches in an order that only the seed decides, not the number of workers."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch.utils.data import Sampler as BatchSampler

from openfer.errors import DataError
from openfer.methods.contract import Batch
from openfer.training import ranks
from openfer.training.config import ImageSettings
from openfer.training.data import MIRRORED, Faces, Key, Sample
from openfer.training.device import Plan
from openfer.training.sampling import Sampler

_SMALLEST_BATCH = 2
"""Batch normalisation has no variance of one sample; the lone last one of an epoch is left out."""

Loaded = tuple[Tensor, dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]] | DataError
"""A stacked batch as :class:`Sample` names its parts, or why it could not be loaded."""


def steps_per_epoch(samples: int, batch_size: int) -> int:
    """Return the number of training steps of an epoch; a last batch of one sample does not count."""
    full, rest = divmod(samples, batch_size)
    return full + (rest >= _SMALLEST_BATCH)


def training_batches(sampler: Sampler, batch_size: int, epoch: int, start: int) -> list[list[Key]]:
    """Return the keys of an epoch's batches from step ``start`` on."""
    order = sampler.order(epoch)
    steps = range(start, steps_per_epoch(len(sampler), batch_size))
    return [_keys(epoch, order[step * batch_size : (step + 1) * batch_size]) for step in steps]


def testing_batches(faces: Faces, batch_size: int) -> list[list[Key]]:
    """Return the keys of all samples in their own order."""
    indices = np.arange(len(faces))
    return [_keys(0, indices[start : start + batch_size]) for start in range(0, len(faces), batch_size)]


def with_mirror_images(keys: Iterable[list[Key]]) -> list[list[Key]]:
    """Return the keys of batches of centre crops, each batch followed by its mirror images."""
    return [side for own in keys for side in (own, [(MIRRORED, index) for _, index in own])]


class Loader:
    """Loads batches of one data set; its worker processes live as long as it does.

    Args:
        faces: the data set.
        plan: number of workers, device and layout.
    """

    def __init__(self, faces: Faces, plan: Plan) -> None:
        self._images = faces.images
        self._plan = plan
        self._keys = _KeyList()
        self._loader: DataLoader[Loaded] = DataLoader(
            CatchingDataset(faces),
            batch_sampler=self._keys,
            num_workers=plan.workers,
            collate_fn=_stack,
            pin_memory=plan.device.type == "cuda",
            persistent_workers=plan.workers > 0,
            generator=torch.Generator(),  # its own, as drawing from torch's would disturb nobody's seed
        )

    def batches(self, keys: list[list[Key]]) -> Iterator[Batch]:
        """Yield the batches of the given keys, normalised, on the plan's device.

        Of several processes that train together each loads its share of a batch, and gets the whole.

        Raises:
            DataError: if an image is damaged; the same from a worker process as from this one.
        """
        self._keys.batches = [
            of_batch[ranks.share(len(of_batch))] if ranks.divides(len(of_batch)) else of_batch for of_batch in keys
        ]
        for of_batch, loaded in zip(keys, self._loader, strict=True):
            if isinstance(loaded, DataError):
                try:
                    raise loaded
                finally:
                    del loaded  # its traceback holds this frame: workers of such a cycle take five seconds to end
            pixels, *parts = loaded
            labels, extras, targets = (
                {name: self._whole(values, len(of_batch)) for name, values in part.items()} for part in parts
            )
            yield Batch(
                images=normalise(self._whole(pixels, len(of_batch)), self._images, self._plan),
                labels=labels,
                extras=extras,
                targets=targets,
            )

    def _whole(self, loaded: Tensor, rows: int) -> Tensor:
        moved = loaded.to(self._plan.device, non_blocking=True)
        return ranks.joined(moved, rows) if ranks.divides(rows) else moved


def sent(values: np.ndarray, device: torch.device) -> Tensor:
    """Copy an array to a device without waiting: a GPU copies from locked memory while the host goes on."""
    tensor = torch.from_numpy(values)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def normalise(pixels: Tensor, images: ImageSettings, plan: Plan) -> Tensor:
    """Return RGB, uint8 (B, 3, S, S), as normalised float32 in the plan's layout and the network's channel order.

    Maps of frozen layers, float16 (B, D), are returned in the plan's precision, in which they were computed.
    """
    if pixels.is_floating_point():
        return pixels.to(plan.dtype)
    scaled = pixels.to(torch.float32, memory_format=plan.memory_format).div_(255)
    scaled = scaled.sub_(per_channel(images.mean, scaled)).div_(per_channel(images.std, scaled))
    return ordered(scaled, images).contiguous(memory_format=plan.memory_format)


def ordered(shown: Tensor, images: ImageSettings) -> Tensor:
    """Turn RGB (B, 3, S, S) into the order in which the network gets the channels, and that order into RGB."""
    return shown.flip(1) if images.channels == "bgr" else shown


def per_channel(value: float | tuple[float, float, float], images: Tensor) -> Tensor | float:
    """Return one number as it is, and three as a tensor (3, 1, 1) that goes with images (B, 3, S, S)."""
    if not isinstance(value, tuple):
        return value
    return torch.stack([images.new_full((), own) for own in value])[:, None, None]  # no copy from the host


class _KeyList(BatchSampler[list[Key]]):
    """Yields prepared batches of keys."""

    def __init__(self) -> None:
        self.batches: list[list[Key]] = []

    def __iter__(self) -> Iterator[list[Key]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class CatchingDataset(Dataset[Loaded]):
    """Returns the error of a damaged image as a value, because a worker would wrap it in its own traceback."""

    def __init__(self, faces: Faces) -> None:
        self._faces = faces

    def __getitems__(self, keys: Sequence[Key]) -> list[Sample] | DataError:
        try:
            return [self._faces[key] for key in keys]
        except DataError as error:
            return error


def _stack(samples: list[Sample] | DataError) -> Loaded:
    if isinstance(samples, DataError):
        return samples
    first = samples[0]
    return (
        torch.stack([sample.pixels for sample in samples]),
        {task: torch.tensor([sample.labels[task] for sample in samples]) for task in first.labels},
        {name: torch.stack([sample.extras[name] for sample in samples]) for name in first.extras},
        {name: torch.tensor([sample.targets[name] for sample in samples]) for name in first.targets},
    )


def _keys(epoch: int, indices: np.ndarray) -> list[Key]:
    return [(epoch, int(index)) for index in indices]
