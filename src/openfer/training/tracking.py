"""Curves for those who watch from elsewhere: one message an epoch."""

import math
import sys
import time
from collections.abc import Mapping
from typing import Protocol

from openfer.io.outbox import OUTBOX


class Tracker(Protocol):
    """Receives the figures of every epoch."""

    def epoch(self, label: str, stage: str, epoch: int, values: Mapping[str, float]) -> None:
        """Take the figures of one epoch.

        A continued run hands over its earlier epochs again, so that a tracker that is new to it
        gets them all; one that has them already leaves them out.

        Args:
            label: whose training it is.
            stage: name of the stage.
            epoch: number in the whole run, from 1.
            values: figures by name, such as ``train/main/classification`` or ``val/accuracy/expression``.
        """
        ...


class MlflowTracker:
    """Logs to the MLflow run in progress; without one, nowhere.

    Metrics are called ``<label>/<name>``, their step is the epoch. Each epoch is one request.
    """

    def __init__(self) -> None:
        self._run = active_run()
        self._logged: dict[str, set[int]] = {}

    def epoch(self, label: str, stage: str, epoch: int, values: Mapping[str, float]) -> None:
        """Log an epoch that the run does not have yet."""
        if self._run is None:
            return
        from mlflow import MlflowClient

        if label not in self._logged:
            run = self._run
            history = OUTBOX.attempt(lambda: MlflowClient().get_metric_history(run, f"{label}/{_WITNESS}"))
            self._logged[label] = {metric.step for metric in history or ()}
        if epoch in self._logged[label]:
            return
        now = int(time.time() * 1000)
        # The witness is in the same request as all others: where it is, they are.
        figures = {**values, _WITNESS: float(epoch)}
        metrics = [(f"{label}/{name}", v, now, epoch) for name, v in figures.items() if math.isfinite(v)]
        OUTBOX.log(self._run, metrics)
        self._logged[label].add(epoch)


def active_run() -> str | None:
    """Return the id of the MLflow run in progress in this thread; None without one, and where MLflow is not in use."""
    if OUTBOX.run is not None:
        return OUTBOX.run
    mlflow = sys.modules.get("mlflow")  # importing it takes seconds
    active = None if mlflow is None else mlflow.active_run()
    return None if active is None else str(active.info.run_id)


_WITNESS = "epoch"
