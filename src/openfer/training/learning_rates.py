"""The learning rate of every epoch, by the schedules that a stage can name."""

import math
from collections.abc import Callable, Mapping, Sequence

from openfer.methods.contract import Player, Schedule, Stage


def multi_step(schedule: Schedule, epoch: int) -> float:
    """Return ``decay`` to the power of the number of milestones reached; milestones count from the stage's start."""
    return _stepped(schedule.milestones, schedule.decay, epoch)


def cosine(schedule: Schedule, epoch: int) -> float:
    """Return half a cosine wave, from 1 after the warm-up towards 0 after the last epoch."""
    done = _after_warmup(schedule, epoch) / max(1, schedule.epochs - schedule.warmup_epochs)
    return (1 + math.cos(math.pi * done)) / 2


def exponential(schedule: Schedule, epoch: int) -> float:
    """Return ``decay`` to the power of the number of epochs since the warm-up."""
    return schedule.decay ** _after_warmup(schedule, epoch)


SCHEDULES: Mapping[str, Callable[[Schedule, int], float]] = {
    "multi_step": multi_step,
    "cosine": cosine,
    "exponential": exponential,
}
"""By the name in :attr:`Schedule.learning_rate_schedule`: the factor of the learning rate in an epoch, from 0."""


def learning_rate(stage: Stage, player: Player, epoch: int) -> float:
    """Return a player's learning rate in an epoch, counted from 0.

    A player that does not decay keeps the first rate, or steps at milestones of its own. The warm-up is everyone's: in
    epoch e of W it multiplies the rate by ``(e + 1) / (W + 1)``, so that the first epoch after it is the first at the
    full rate.
    """
    schedule = stage.schedule
    rate = schedule.learning_rate
    if player.decays:
        rate *= SCHEDULES[schedule.learning_rate_schedule](schedule, epoch)
    else:
        rate *= _stepped(player.milestones, schedule.decay, epoch)
    if epoch < schedule.warmup_epochs:
        rate *= (epoch + 1) / (schedule.warmup_epochs + 1)
    return rate


def _stepped(milestones: Sequence[int], decay: float, epoch: int) -> float:
    return decay ** sum(milestone <= epoch for milestone in milestones)


def _after_warmup(schedule: Schedule, epoch: int) -> int:
    return max(0, epoch - schedule.warmup_epochs)
