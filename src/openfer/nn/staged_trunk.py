"""Trunks of a stem and stages, which maps may enter behind the frozen ones."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from openfer.errors import ParameterError
from openfer.nn.choices import LastFrozen

_STEM, _STAGE = "stem", "layer"


class StagedTrunk(nn.Module, ABC):
    """A stem, and stages called ``layer1`` and so on, each of which takes the maps of the one before."""

    def __init__(self) -> None:
        super().__init__()
        self._frozen_until: LastFrozen = "none"
        self._packed: tuple[torch.Size, ...] = ()

    @abstractmethod
    def first_maps(self, images: Tensor) -> Tensor:
        """Return the maps of the stem, of (B, 3, H, W)."""

    def freeze_until(self, last: LastFrozen) -> tuple[nn.Module, ...]:
        """Let the parts up to one be the frozen ones, and return their layers, the first ones first.

        What dlib's trunk normalises its maps with when it hands them out is none of them: it has no weights.

        Args:
            last: the stem or a stage; ``none`` for no part.

        Raises:
            ParameterError: if the trunk has no such stage.
        """
        layers, stages = dict(self.named_children()), self._stages()
        ends = {"none": 0, _STEM: [*layers].index(stages[0]), **{name: [*layers].index(name) + 1 for name in stages}}
        if last not in ends:
            parts = ", ".join([_STEM, *stages])
            raise ParameterError(
                f"initialisation.frozen_until is {last}, but the parts of this backbone are {parts}; give {parts} or "
                "none"
            )
        self._frozen_until = last
        return tuple(layers.values())[: ends[last]]

    def packed_maps(self, images: Tensor, whole: bool) -> Tensor:
        """Return the maps of frozen parts, which the trunk then takes in the place of images, too.

        Args:
            images: (B, 3, H, W).
            whole: whether the maps of all frozen parts are kept, or those of the last one alone.

        Returns:
            (B, D): each face's maps one after the other, channels last.
        """
        maps = [self.first_maps(images)]
        for name in self._stages()[: self._frozen_stages]:
            maps.append(self.get_submodule(name)(maps[-1]))
        kept = maps if whole else maps[-1:]
        self._packed = tuple(own.shape[1:] for own in kept)
        return torch.cat([own.permute(0, 2, 3, 1).flatten(1) for own in kept], dim=1)

    def all_maps(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the stem and of every stage.

        Args:
            images: (B, 3, H, W); or (B, D), what :meth:`packed_maps` last gave of images of one size: the result then
                begins with the maps in it.
        """
        packed = images.ndim == 2
        maps = _unpacked(images, self._packed) if packed else [self.first_maps(images)]
        for name in self._stages()[self._frozen_stages if packed else 0 :]:
            maps.append(self.get_submodule(name)(maps[-1]))
        return maps

    @property
    def _frozen_stages(self) -> int:
        stages = self._stages()
        return stages.index(self._frozen_until) + 1 if self._frozen_until in stages else 0

    def _stages(self) -> list[str]:
        return [name for name, _ in self.named_children() if name.startswith(_STAGE)]


def _unpacked(packed: Tensor, shapes: Sequence[torch.Size]) -> list[Tensor]:
    parts = torch.split(packed, [prod(shape) for shape in shapes], dim=1)
    return [
        part.reshape(len(part), height, width, channels).permute(0, 3, 1, 2)
        for part, (channels, height, width) in zip(parts, shapes, strict=True)
    ]
