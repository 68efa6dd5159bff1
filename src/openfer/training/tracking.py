"""Curves for those who watch from elsewhere: one message an epoch."""

import math
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mlflow import MlflowClient


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
        self._client: MlflowClient | None = None
        self._logged: dict[str, set[int]] = {}

    def epoch(self, label: str, stage: str, epoch: int, values: Mapping[str, float]) -> None:
        """Log an epoch that the run does not have yet."""
        if self._run is None:
            return
        from mlflow import MlflowClient
        from mlflow.entities import Metric

        self._client = self._client or MlflowClient()
        if label not in self._logged:
            history = self._client.get_metric_history(self._run, f"{label}/{_WITNESS}")
            self._logged[label] = {metric.step for metric in history}
        if epoch in self._logged[label]:
            return
        now = int(time.time() * 1000)
        # The witness is in the same request as all others: where it is, they are.
        figures = {**values, _WITNESS: float(epoch)}
        metrics = [Metric(f"{label}/{name}", v, now, epoch) for name, v in figures.items() if math.isfinite(v)]
        self._client.log_batch(self._run, metrics=metrics)
        self._logged[label].add(epoch)


def active_run() -> str | None:
    """Return the id of the MLflow run in progress in this thread; None without one, and where MLflow is not in use."""
    mlflow = sys.modules.get("mlflow")  # importing it takes seconds
    active = None if mlflow is None else mlflow.active_run()
    return None if active is None else str(active.info.run_id)


_WITNESS = "epoch"
