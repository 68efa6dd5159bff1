"""The time and the energy that an epoch takes, also where several processes train it one after another."""

import time

import torch

from openfer.training.energy import EnergyMeter
from openfer.training.stateful import State


class Effort:
    """Counts seconds and joules of one epoch at a time; a :class:`Stateful` part of the run.

    Args:
        device: where networks compute.
    """

    def __init__(self, device: torch.device) -> None:
        self._meter = EnergyMeter(device)
        self._began = 0.0

    def begin(self) -> None:
        """Start an epoch at 0."""
        self._began = time.monotonic()
        self._meter.begin()

    def count(self) -> None:
        """Read the energy counters; often enough, within minutes, that none of them overflows twice."""
        self._meter.count()

    def figures(self, images: int) -> dict[str, float]:
        """Return seconds, images per second and joules of an epoch of so many training images."""
        self._meter.count()
        seconds = self._seconds()
        return {"seconds": seconds, "images_per_second": images / seconds} | self._meter.joules

    def state(self) -> State:
        """Return what the epoch has taken so far."""
        self._meter.count()
        return State(facts={"seconds": self._seconds(), "joules": self._meter.joules})

    def restore(self, state: State) -> None:
        """Add what an earlier process spent on the same epoch, as :meth:`state` returned it."""
        self._began -= state.facts["seconds"]
        self._meter.begin(state.facts["joules"])

    def _seconds(self) -> float:
        return time.monotonic() - self._began
