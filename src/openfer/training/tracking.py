"""Curves for those who watch from elsewhere: one message an epoch."""

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

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
    """Logs to the MLflow run that the environment variable MLFLOW_RUN_ID names; without it, nowhere.

    Metrics are called ``<label>/<name>``, their step is the epoch. Each epoch is one request.
    """

    def __init__(self) -> None:
        self._run = os.environ.get(_VARIABLE)
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


@contextmanager
def child_run(name: str, parameters: Mapping[str, Any]) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """Open an MLflow run within the one that MLFLOW_RUN_ID names, which then names it; without one do nothing.

    The child ends as finished, as failed with the reason, or as killed.

    Args:
        name: of the child.
        parameters: logged at its start.

    Yields:
        A function that logs figures by name.
    """
    parent = os.environ.get(_VARIABLE)
    if parent is None:
        yield lambda figures: None
        return
    from mlflow import MlflowClient
    from mlflow.entities import Param
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    client = MlflowClient()
    experiment = client.get_run(parent).info.experiment_id
    child = client.create_run(experiment, tags={MLFLOW_PARENT_RUN_ID: parent}, run_name=name).info.run_id

    def log(figures: Mapping[str, float]) -> None:
        for key, value in figures.items():
            client.log_metric(child, key, value)

    os.environ[_VARIABLE] = child
    status = "KILLED"
    try:
        client.log_batch(child, params=[Param(key, str(value)) for key, value in parameters.items()])
        yield log
        status = "FINISHED"
    except Exception as error:
        status = "FAILED"
        client.set_tag(child, "error", repr(error))
        raise
    finally:
        os.environ[_VARIABLE] = parent
        client.set_terminated(child, status)


_VARIABLE = "MLFLOW_RUN_ID"
_WITNESS = "epoch"
