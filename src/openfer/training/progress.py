"""A bar for people who wait, readable in a terminal and in a log."""

import sys
from types import TracebackType
from typing import Self

from tqdm import tqdm

from openfer.methods.contract import Stage
from openfer.training import ranks
from openfer.training.timeline import Timeline

_TERMINAL_SECONDS = 0.3
_LOG_SECONDS = 30.0
"""A log keeps every line: one in half a minute tells enough."""


class StageBar:
    """One bar for a whole stage; a context manager.

    Args:
        label: whose training it is; comes first in the line.
        stage: which trains.
        timeline: of the run; a resumed stage has some steps behind it.
    """

    def __init__(self, label: str, stage: Stage, timeline: Timeline) -> None:
        self._title = f"{label} {stage.name}"
        self._epochs = stage.schedule.epochs
        steps = timeline.steps(stage)
        self._bar = tqdm(
            total=self._epochs * steps,
            initial=timeline.epoch * steps + timeline.step,
            desc=self._title,
            unit="step",
            mininterval=_TERMINAL_SECONDS if sys.stderr.isatty() else _LOG_SECONDS,
            dynamic_ncols=True,
            disable=not ranks.is_first(),
        )
        self._shown: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Show the bar."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state of the bar on the screen."""
        self._bar.close()

    def epoch(self, epoch: int) -> None:
        """Name the epoch that begins, counted from 0."""
        self._bar.set_description(f"{self._title} epoch {epoch + 1}/{self._epochs}", refresh=False)

    def step(self) -> None:
        """Count a step."""
        self._bar.update()

    def show(self, **values: float) -> None:
        """Set the figures at the end of the line, such as loss and validation accuracy."""
        self._shown |= {name: f"{value:.3f}" for name, value in values.items()}
        self._bar.set_postfix(self._shown, refresh=False)
