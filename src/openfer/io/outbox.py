"""What goes to MLflow: sent at once, or later where MLflow fails in the middle; work never depends on it."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from openfer.io.atomic import write_bytes
from openfer.io.error_log import keep_traceback

if TYPE_CHECKING:
    from mlflow import MlflowClient

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")

Metrics = Sequence[tuple[str, float, int, int]]
"""Name, value, time in milliseconds, step."""


class Outbox:
    """Sends records to MLflow; after a failure it keeps them.

    Attributes:
        lost: whether MLflow has failed; nothing is sent from then on until :meth:`flush`.
        run: the MLflow run of the current node, if the node logs to MLflow itself.
        command: begins the MLflow run of the whole command if it has not begun, and returns it; None without MLflow.
    """

    def __init__(self) -> None:
        self.lost = False
        self.run: str | None = None
        self.command: Callable[[], str | None] = lambda: None
        self._records: list[dict[str, Any]] = []
        self._ids: dict[str, str] = {}

    def create_run(self, experiment: str, name: str, tags: Mapping[str, str]) -> str:
        """Make a run; returns its id, or one that stands for it until it is made."""
        record = {"call": "create_run", "name": name, "experiment": experiment, "tags": dict(tags)}
        made = self.attempt(lambda: self._create(record))
        if made is not None:
            return made
        self._records.append(record)
        return _waiting(name)

    def log(
        self,
        run: str,
        metrics: Metrics = (),
        parameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log metrics, parameters and tags of a run in one request."""
        own = {"metrics": list(metrics), "parameters": dict(parameters or {}), "tags": dict(tags or {})}
        self._send({"call": "log", "run": run, **own})

    def log_artifact(self, run: str, path: Path, folder: str) -> None:
        """Log a file of a run."""
        self._send({"call": "log_artifact", "run": run, "path": str(path), "folder": folder})

    def end(self, run: str, status: str) -> None:
        """End a run."""
        self._send({"call": "end", "run": run, "status": status})

    def attempt(self, call: Callable[[], _Result]) -> _Result | None:
        """Call MLflow; None where it fails, which is warned of once, or has failed before."""
        if self.lost:
            return None
        try:
            return call()
        except Exception as error:  # noqa: BLE001  (MLflow raises those of its servers and databases too)
            self.lost = True
            logging.getLogger("mlflow").setLevel(logging.CRITICAL)  # its threads would repeat it every few seconds
            _log.warning(
                "WARNING: MLflow failed (%s). The work goes on; what is not sent is sent at the end. %s",
                reason(error),
                keep_traceback(error),
            )
            return None

    def flush(self) -> int:
        """Send what is kept, in its order; returns the number of records that MLflow still refuses."""
        self.lost = False
        waiting, self._records = self._records, []
        for place, record in enumerate(waiting):
            try:
                self._do(record)
            except Exception as error:  # noqa: BLE001  (as above)
                _log.warning("MLflow does not take the %d records: %s", len(waiting) - place, reason(error))
                self._records = waiting[place:]
                break
        return len(self._records)

    def keep(self, path: Path) -> None:
        """Write what is not sent to a file, a record a line, that :meth:`take` reads."""
        own = [{**record, "run": self._id(record["run"])} if "run" in record else record for record in self._records]
        write_bytes(path, "".join(f"{json.dumps(record)}\n" for record in own).encode())

    def take(self, path: Path) -> None:
        """Add the records of a file that :meth:`keep` wrote."""
        self._records += [json.loads(line) for line in path.read_text().splitlines()]

    def _send(self, record: dict[str, Any]) -> None:
        def call() -> bool:
            self._do(record)
            return True

        if self.attempt(call) is None:
            self._records.append(record)

    def _do(self, record: Mapping[str, Any]) -> None:
        from mlflow.entities import Metric, Param, RunTag

        client, run = _client(), self._id(record.get("run", ""))
        if record["call"] == "create_run":
            self._create(record)
        elif record["call"] == "log":
            client.log_batch(
                run,
                metrics=[Metric(*metric) for metric in record["metrics"]],
                params=[Param(name, value) for name, value in record["parameters"].items()],
                tags=[RunTag(name, value) for name, value in record["tags"].items()],
            )
        elif record["call"] == "log_artifact":
            client.log_artifact(run, record["path"], record["folder"])
        else:
            client.set_terminated(run, record["status"])

    def _create(self, record: Mapping[str, Any]) -> str:
        made = _client().create_run(record["experiment"], tags=dict(record["tags"]), run_name=record["name"])
        self._ids[_waiting(record["name"])] = str(made.info.run_id)
        return str(made.info.run_id)

    def _id(self, run: str) -> str:
        return self._ids.get(run, run)


OUTBOX = Outbox()
"""The process's own; hooks and trackers share it."""


def reason(error: BaseException) -> str:
    """Return the first line of the error behind all others, shortened: what the database or the connection said."""
    while error.__cause__ is not None:
        error = error.__cause__
    line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {line[:200]}"


def _waiting(name: str) -> str:
    return f"to be made: {name}"


def _client() -> "MlflowClient":
    from mlflow import MlflowClient

    return MlflowClient()
