"""A training whose watched scalars leave their bounds is reported once, in words."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from openfer.methods.contract import WATCH, WatchBounds

_log = logging.getLogger(__name__)


def warn_of_collapse(
    where: str, bounds_of: Mapping[str, WatchBounds], means: Mapping[str, float], earlier: Sequence[Sequence[Any]]
) -> None:
    """Warn of each scalar whose mean over an epoch lies outside its bounds for the first time in the run.

    Args:
        where: words for the message, such as "addl, stage joint, epoch 3 of 12".
        bounds_of: as :attr:`openfer.methods.contract.Method.watch_bounds` says.
        means: of the epoch, by player and name.
        earlier: rows of the run's history before this epoch (:class:`openfer.training.history.History`); a
            scalar that is outside its bounds there was reported before, even if the run was interrupted since.
    """
    told = {
        name for _, _, split, name, value in earlier if split == "train" and _is_outside(bounds_of.get(name), value)
    }
    for name, bounds in bounds_of.items():
        if name in means and name not in told and _is_outside(bounds, means[name]):
            player, _, scalar = name.partition(f"/{WATCH}")
            _log.warning(
                "%s: %s of %s is %.3g on average, outside of %g to %g: %s. The run goes on; see its curve",
                where, scalar.replace("_", " "), player, means[name], bounds.low, bounds.high, bounds.meaning,
            )  # fmt: skip


def _is_outside(bounds: WatchBounds | None, value: float) -> bool:
    return bounds is not None and not bounds.low <= value <= bounds.high  # NaN lies outside
