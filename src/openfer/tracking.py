"""MLflow: one run per `kedro run`, and within it one for each run that it trains or evaluates."""

import atexit
import hashlib
import logging
import math
import os
import re
import shlex
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pydantic import BaseModel, Field

from openfer.errors import ParameterError, TrackingError
from openfer.io.error_log import keep_traceback
from openfer.io.git import revision
from openfer.io.locks import alone
from openfer.io.outbox import OUTBOX, Outbox, reason
from openfer.io.runs import RunRecord
from openfer.parameters import DERIVED, Settings
from openfer.runners.command import COMMAND_RUN
from openfer.runs.tags import PUBLISHES, TRAINS, slug_of
from openfer.runs.words import in_words

log = logging.getLogger(__name__)

_LONGEST_VALUE = 6000  # MLflow cuts what is longer
_LOGS = {TRAINS, PUBLISHES}
"""Tags of the nodes that log to the MLflow run in progress themselves."""

_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""A server that is away costs seconds; MLflow's own seven tries take four minutes."""

_SECONDS_TO_CONNECT = 5
_LOGS_FOLDER = "logs"

_KEPT = {"08_reporting", "exported"}
"""Folders whose files are kept as artifacts: reports, and the model files of ``export``."""

_RUNS = "runs."
"""Prefix of the parameters of runs."""


class TrackingSettings(Settings):
    """Settings of `conf/*/mlflow.yml`.

    Attributes:
        enabled: False leaves MLflow out of every run.
        tracking_uri: where runs are kept; a relative SQLite path lies in the project. The
            environment variable MLFLOW_TRACKING_URI goes before it.
        experiment: the experiment's name.
        artifacts: folder of the artifacts when the experiment is made on this machine.
        system_metrics: whether processor, memory and GPU use are sampled.
        sampling_seconds: how often.
    """

    enabled: bool = True
    tracking_uri: str = "sqlite:///mlflow.db"
    experiment: str = "openfer"
    artifacts: str = "mlartifacts"
    system_metrics: bool = True
    sampling_seconds: float = Field(5.0, gt=0)


class MlflowHook:
    """Keeps parameters, metrics, figures and the state of each run in MLflow."""

    def __init__(self) -> None:
        self._settings = TrackingSettings()
        self._root = Path()
        self._run_id: str | None = None
        self._experiment = ""
        self._joined = False
        self._children: dict[str, str] = {}
        self._pending: dict[str, Any] = {}
        self._complete: set[str] = set()
        self._made: dict[str, str] = {}
        self._started = 0.0

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Read `mlflow.yml`.

        Raises:
            ParameterError: if it holds an unknown key or a wrong type.
        """
        from pydantic import ValidationError

        try:
            self._settings = TrackingSettings(**context.config_loader["mlflow"])
        except ValidationError as error:
            raise ParameterError(in_words("mlflow.yml", error)) from error
        self._root = context.project_path

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Remember what the run is; nothing is written until a node runs."""
        names = {name for name in pipeline.inputs() if name.startswith("params:")}
        values = {name.removeprefix("params:"): catalog.load(name) for name in names}
        self._pending = {"run": run_params, "parameters": values}
        OUTBOX.command = self._of_the_command
        self._made, self._children, self._complete = {}, {}, set()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Begin the MLflow run before the first node, and the nested one before a node that logs to it itself."""
        self._of_the_command()
        if self._run_id is not None and _LOGS & node.tags:
            import mlflow

            child = OUTBOX.run = self._child(node)
            OUTBOX.attempt(lambda: mlflow.start_run(run_id=child, nested=True))

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Leave the nested run."""
        self._leave(node, "FINISHED")

    @hook_impl
    def on_node_error(self, node: Node, error: Exception) -> None:
        """Leave the nested run as failed, with the reason."""
        if self._run_id is None or slug_of(node.tags) is None:
            return
        child = self._child(node)
        OUTBOX.log(child, tags={"error": repr(error)[:_LONGEST_VALUE]})
        self._leave(node, "FAILED")
        OUTBOX.end(child, "FAILED")

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        """Log a run's scores as numbers, and the version of its data, all licences and its names as tags."""
        if self._run_id is None:
            return
        slug = self._made[dataset_name] = slug_of(node.tags) or ""
        if isinstance(data, RunRecord):
            self._complete.add(slug)
            self._log_scores(self._child(node), data)
        elif TRAINS in node.tags and "data_version" in data:
            named = ("data_version", "initialisation", "licences_of_data", "licences_of_weights")
            OUTBOX.log(self._child(node), tags={key: _words(data[key]) for key in named})

    @hook_impl
    def after_pipeline_run(self, catalog: CatalogProtocol) -> None:
        """Keep the reports that this run made as artifacts, and end the run."""
        if self._run_id is None:
            return
        self._keep_reports(catalog)
        self._end("FINISHED")

    @hook_impl
    def on_pipeline_error(self, error: Exception, catalog: CatalogProtocol) -> None:
        """Keep the reports of what is done, and end the run as failed, with the reason."""
        if self._run_id is None:
            return
        self._keep_reports(catalog)
        OUTBOX.log(self._run_id, tags={"error": repr(error)[:_LONGEST_VALUE]})
        self._end("FAILED")

    def _of_the_command(self) -> str | None:
        """Return the MLflow run of the whole command; it begins with the first question for it."""
        if self._run_id is None and self._pending and self._settings.enabled:
            self._begin()
            log.info("MLflow run %s %s", self._run_id, "goes on" if self._joined else "began")
        return self._run_id

    def _keep_reports(self, catalog: CatalogProtocol) -> None:
        """Log each report and model file as an artifact of the run that it is of."""
        own = str(self._run_id)
        for name, slug in self._made.items():
            path = getattr(catalog.get(name), "_filepath", None)
            if path is not None and _KEPT & set(Path(path).parts) and Path(path).is_file():
                OUTBOX.log_artifact(self._children.get(slug, own), Path(path), Path(path).parent.name)
        if not self._joined:
            OUTBOX.log(own, [("wall_seconds", time.perf_counter() - self._started, _now(), 0)])

    def _begin(self) -> None:
        uri = _absolute_uri(os.environ.get("MLFLOW_TRACKING_URI") or self._settings.tracking_uri, self._root)
        os.environ["MLFLOW_TRACKING_URI"] = uri  # workers and child processes write to the same place
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        os.environ.pop("MLFLOW_RUN_ID", None)  # start_run() would silently continue that run
        logging.getLogger("urllib3").setLevel(logging.ERROR)  # it would report each try
        try:
            _refuse_closed_port(uri)
            self._start(uri)
        except Exception as error:
            words = reason(error)
            raise TrackingError(
                f"MLflow at {uri} cannot be used: {words}. {_remedy(words, uri)}, or set "
                f"`enabled: false` in conf/local/mlflow.yml to work without it. {keep_traceback(error)}"
            ) from error
        self._started = time.perf_counter()
        self._send_kept()
        # Ctrl-C reaches no error hook, and mlflow's own exit handler would call the run FINISHED.
        atexit.register(self._end, "KILLED")
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def _start(self, uri: str) -> None:
        """Begin the run of the whole command."""
        import mlflow

        logging.getLogger("mlflow.store").setLevel(logging.CRITICAL)  # it would print the traceback of a database
        mlflow.set_tracking_uri(uri)
        joined = os.environ.get(COMMAND_RUN)
        if joined is not None:  # this process does a part of a command, whose own process begins and ends the run
            self._run_id, self._experiment, self._joined = joined, mlflow.get_run(joined).info.experiment_id, True
            return
        # several commands that make the database at once would fail
        with alone(self._root / _LOGS_FOLDER / "mlflow", "the database"):
            if mlflow.get_experiment_by_name(self._settings.experiment) is None:
                place = (self._root / self._settings.artifacts).as_uri() if uri.startswith("sqlite:") else None
                mlflow.create_experiment(self._settings.experiment, artifact_location=place)
        mlflow.set_experiment(self._settings.experiment)
        mlflow.set_system_metrics_sampling_interval(self._settings.sampling_seconds)
        run = self._pending["run"]
        active = mlflow.start_run(
            run_name="+".join(run.get("pipeline_names") or ["all"]), log_system_metrics=self._settings.system_metrics
        )
        self._run_id, self._experiment = active.info.run_id, active.info.experiment_id
        mlflow.set_tags(_tags(run, self._root))
        shared = {name: value for name, value in self._pending["parameters"].items() if not name.startswith(_RUNS)}
        mlflow.log_params(_logged(shared))

    def _send_kept(self) -> None:
        """Send what earlier commands could not."""
        for path in sorted((self._root / _LOGS_FOLDER).glob(f"{_unsent()}*.jsonl")):
            earlier = Outbox()
            earlier.take(path)
            if not earlier.flush():
                path.unlink()

    def _child(self, node: Node) -> str:
        """Return the nested MLflow run of the run that a node belongs to; it begins with the first question for it."""
        from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

        slug = str(slug_of(node.tags))
        if slug not in self._children:
            tags = {MLFLOW_PARENT_RUN_ID: str(self._run_id), "slug": slug}
            child = self._children[slug] = self._begun_before(slug) or OUTBOX.create_run(self._experiment, slug, tags)
            settings = self._pending["parameters"].get(f"{_RUNS}{slug}")
            if settings is not None:
                OUTBOX.log(child, parameters=_logged({settings.method: settings}))
        return self._children[slug]

    def _begun_before(self, slug: str) -> str | None:
        """Return the nested run of a process that was lost while it did the same part of the command."""
        if not self._joined:
            return None
        from mlflow import MlflowClient
        from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

        asked = f"tags.slug = '{slug}' and tags.`{MLFLOW_PARENT_RUN_ID}` = '{self._run_id}'"
        found = OUTBOX.attempt(lambda: MlflowClient().search_runs([self._experiment], asked, max_results=1))
        return found[0].info.run_id if found else None

    def _leave(self, node: Node, status: str) -> None:
        if self._run_id is not None and _LOGS & node.tags:
            import mlflow

            OUTBOX.run = None
            if mlflow.active_run() is not None and mlflow.active_run().info.run_id != self._run_id:
                OUTBOX.attempt(lambda: mlflow.end_run(status))

    def _log_scores(self, child: str, record: RunRecord) -> None:
        scores = {f"{task}.{name}": value for task, own in record.scores.items() for name, value in own.items()}
        metrics = [(name, value, _now(), 0) for name, value in scores.items() if math.isfinite(value)]
        OUTBOX.log(child, metrics, tags={"row": record.row})
        OUTBOX.end(child, "FINISHED")

    def _end(self, status: str) -> None:
        if self._run_id is None:
            return
        import mlflow

        own = self._run_id
        while mlflow.active_run() is not None and not OUTBOX.lost:  # a nested run is open where a person has stopped it
            OUTBOX.attempt(lambda: mlflow.end_run(status))
        if status == "KILLED":  # between two nodes of a run, its nested one is closed
            for slug in set(self._children) - self._complete:
                OUTBOX.end(self._children[slug], status)
        if OUTBOX.lost:
            if not self._joined:
                OUTBOX.end(own, status)
            self._send_or_keep(own)
        self._run_id = None

    def _send_or_keep(self, run: str) -> None:
        """Send what MLflow has not taken so far; what it still refuses is kept in a file for the next command."""
        left = OUTBOX.flush()
        if left:
            path = self._root / _LOGS_FOLDER / f"{_unsent()}{run}_{os.getpid()}.jsonl"
            OUTBOX.keep(path)
            _log_kept(left, path)


def _log_kept(count: int, path: Path) -> None:
    log.warning(
        "WARNING: MLflow has not taken %d records. They are in %s; the next command with it sends them",
        count,
        path,
    )


def _refuse_closed_port(uri: str) -> None:
    """Raise at once if nobody listens at a server's address, which MLflow finds out after several tries."""
    import socket
    from urllib.parse import urlsplit
    from urllib.request import getproxies

    address = urlsplit(uri)
    if address.scheme in ("http", "https") and address.hostname and address.scheme not in getproxies():
        port = address.port or {"http": 80, "https": 443}[address.scheme]
        socket.create_connection((address.hostname, port), timeout=_SECONDS_TO_CONNECT).close()


def _unsent() -> str:
    """Return how the files of records begin that the MLflow in use has not taken."""
    where = hashlib.sha256(os.environ["MLFLOW_TRACKING_URI"].encode()).hexdigest()[:8]
    return f"mlflow_unsent_{where}_"


def _remedy(said: str, uri: str) -> str:
    """Return what to do about MLflow's refusal at the start."""
    if "schema" in said:
        return f"Bring its database up to date with `mlflow db upgrade {uri}`"
    if "deleted" in said:
        return "Restore the experiment with `mlflow experiments restore`, or set another name in conf/local/mlflow.yml"
    if uri.startswith("http"):
        return "Start the server, or correct MLFLOW_TRACKING_URI or tracking_uri in conf/local/mlflow.yml"
    return "Free space on its disk, check its permissions, or move a damaged mlflow.db away"


def _now() -> int:
    return int(1000 * time.time())


def flatten(values: Any, prefix: str = "") -> dict[str, Any]:
    """Flatten nested maps into one with dotted keys; lists stay values."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _logged(values: dict[str, Any]) -> dict[str, str]:
    flat = flatten({name: _plain(value) for name, value in values.items()})
    return {re.sub(r"[^/\w.\- :]", "_", key): str(value)[:_LONGEST_VALUE] for key, value in flat.items()}


def _plain(value: Any) -> Any:
    if not isinstance(value, BaseModel):
        return value
    derived = {name for name, field in type(value).model_fields.items() if field.json_schema_extra == DERIVED}
    return value.model_dump(mode="json", exclude=derived)


def _words(value: Any) -> str:
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)


def _absolute_uri(uri: str, root: Path) -> str:
    relative = uri.removeprefix("sqlite:///")
    return uri if relative == uri or relative.startswith("/") else f"sqlite:///{root / relative}"


def _tags(run: dict[str, Any], root: Path) -> dict[str, str]:
    from openfer.version import __version__

    state = revision(root)
    return {
        "openfer.version": __version__,
        "licence": "Apache-2.0",
        "kedro.command": shlex.join(["kedro", *sys.argv[1:]]),
        "kedro.pipelines": ", ".join(run.get("pipeline_names") or ["__default__"]),
        "kedro.env": str(run.get("env") or "local"),
        "git.commit": state["commit"],
        "git.state": state["state"],
    }
