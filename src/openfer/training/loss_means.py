"""Running means of all named losses of an epoch, and the check that they are finite."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from openfer.errors import TrainingError
from openfer.methods.contract import Losses
from openfer.training.stateful import State


@dataclass(frozen=True)
class _Entry:
    step: int
    size: int
    names: tuple[str, ...]
    values: Tensor


class LossMeans:
    """Sums every named loss of one epoch, weighted by batch size; a :class:`Stateful` part of the run.

    Attributes:
        latest: the first player's total in the last step that was read.

    Args:
        where: words for the error, such as "stage train, epoch 3 of 12".
        rates: the learning rate of every player in this epoch.
    """

    def __init__(self, where: str, rates: Mapping[str, float]) -> None:
        self._where = where
        self._rates = rates
        self._entries: list[_Entry] = []
        self._sums: dict[str, list[float]] = {}
        self.latest = float("nan")

    @property
    def unread(self) -> int:
        """Steps noted but not yet read."""
        return len(self._entries)

    def note(self, step: int, losses: Mapping[str, Losses], size: int) -> None:
        """Note a step's losses on their device, without waiting for their values.

        Args:
            step: counted from 0.
            losses: of every player.
            size: of the batch; with 0 the losses are checked and count in no mean.
        """
        named = _named(losses)
        values = torch.stack([value.detach().to(torch.float32) for value in named.values()])
        self._entries.append(_Entry(step, size, tuple(named), values))

    def read(self) -> None:
        """Read what was noted and add it to the sums.

        Raises:
            TrainingError: if a player's total is not finite, for the first such step.
        """
        entries, self._entries = self._entries, []
        numbers = iter(torch.cat([entry.values for entry in entries]).tolist() if entries else ())
        for entry in entries:
            values = dict(zip(entry.names, numbers, strict=False))
            self._check(entry.step, values)
            if not entry.size:
                continue
            self.latest = next(value for name, value in values.items() if name.endswith("/total"))
            for name, value in values.items():
                pair = self._sums.setdefault(name, [0.0, 0])
                pair[0] += value * entry.size
                pair[1] += entry.size

    def means(self) -> dict[str, float]:
        """Return the mean of every loss that was read."""
        return {name: value / count for name, (value, count) in self._sums.items()}

    def state(self) -> State:
        """Read what was noted, and return the sums."""
        self.read()
        return State(facts=self._sums)

    def restore(self, state: State) -> None:
        """Continue with the sums that :meth:`state` returned."""
        self._sums = {name: list(pair) for name, pair in state.facts.items()}

    def _check(self, step: int, values: Mapping[str, float]) -> None:
        wrong = [name for name, value in values.items() if name.endswith("/total") and not math.isfinite(value)]
        if not wrong:
            return
        players = [name.removesuffix("/total") for name in wrong]
        terms = {
            name: value
            for name, value in values.items()
            for player in players
            if name.startswith(f"{player}/") and not name.startswith(f"{player}/watch/")
        }
        culprits = [name for name, value in terms.items() if not math.isfinite(value) and name not in wrong]
        found = ", ".join(f"{name} = {value:g}" for name, value in terms.items())
        rates = ", ".join(f"{player} {self._rates[player]:g}" for player in players)
        raise TrainingError(
            f"the loss of {' and '.join(players)} is not finite at {self._where}, step {step + 1}, because of "
            f"{', '.join(culprits) or 'the sum of its terms'}: {found}; learning rate {rates}. "
            "No weight was updated with it, and the last checkpoint of this run is intact. Lower the learning rate or "
            "that term's weight, set precision: float32, or look for images or labels that are not what they should "
            "be; changed parameters start a new run"
        )


def _named(losses: Mapping[str, Losses]) -> dict[str, Tensor]:
    return {f"{player}/{term}": value for player, terms in losses.items() for term, value in terms.items()}
