"""The figures of a run, epoch by epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from openfer.training.stateful import State

_COLUMNS = ["stage", "epoch", "split", "name", "value"]


class History:
    """A long table, one figure a row; a :class:`Stateful` part of the run.

    Epochs count from 0 in the methods and from 1 in the table.

    Attributes:
        rows: the table's rows, JSON-serialisable.
    """

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []

    def note(self, stage: str, epoch: int, split: str, values: Mapping[str, float]) -> None:
        """Add figures of one split in one epoch."""
        self.rows += [[stage, epoch + 1, split, name, value] for name, value in values.items()]

    def values(self, stage: str, epoch: int) -> dict[str, float]:
        """Return the figures of an epoch as ``<split>/<name>``."""
        return {f"{row[2]}/{row[3]}": row[4] for row in self.rows if row[:2] == [stage, epoch + 1]}

    def mean(self, stage: str, epoch: int, split: str, kind: str) -> float | None:
        """Return the mean of a split's figures of one kind, such as ``accuracy`` over the tasks; None without any."""
        figures = self.values(stage, epoch)
        found = [value for name, value in figures.items() if name.startswith(f"{split}/{kind}/")]
        return float(np.mean(found)) if found else None

    def table(self) -> pd.DataFrame:
        """Return all figures: stage, epoch, split, name, value."""
        return pd.DataFrame(self.rows, columns=_COLUMNS)

    def state(self) -> State:
        """Return the rows."""
        return State(facts={"rows": self.rows})

    def restore(self, state: State) -> None:
        """Replace the rows by those that :meth:`state` returned."""
        self.rows = state.facts["rows"]
