"""MLflow: one run per `kedro run`, and within it one for each run that it trains or evaluates."""

import atexit
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

from openfer.errors import ParameterError
from openfer.io.git import revision
from openfer.io.runs import RunRecord
from openfer.parameters import DERIVED, Settings
from openfer.runs.tags import PUBLISHES, TRAINS, slug_of

log = logging.getLogger(__name__)

_LONGEST_VALUE = 6000  # MLflow cuts what is longer
_LOGS = {TRAINS, PUBLISHES}
"""Tags of the nodes that log to the MLflow run in progress themselves."""

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
            raise ParameterError(f"mlflow.yml: {error}") from error
        self._root = context.project_path

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Remember what the run is; nothing is written until a node runs."""
        names = {name for name in pipeline.inputs() if name.startswith("params:")}
        values = {name.removeprefix("params:"): catalog.load(name) for name in names}
        self._pending = {"run": run_params, "parameters": values}
        self._made, self._children, self._complete = {}, {}, set()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Begin the MLflow run before the first node, and the nested one before a node that logs to it itself."""
        if self._run_id is None and self._pending and self._settings.enabled:
            self._begin()
            log.info("MLflow run %s began with %s", self._run_id, node.name)
        if self._run_id is not None and _LOGS & node.tags:
            import mlflow

            mlflow.start_run(run_id=self._child(node), nested=True)

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Leave the nested run."""
        self._leave(node, "FINISHED")

    @hook_impl
    def on_node_error(self, node: Node, error: Exception) -> None:
        """Leave the nested run as failed, with the reason."""
        if self._run_id is None or slug_of(node.tags) is None:
            return
        import mlflow

        child = self._child(node)
        mlflow.MlflowClient().set_tag(child, "error", repr(error)[:_LONGEST_VALUE])
        self._leave(node, "FAILED")
        mlflow.MlflowClient().set_terminated(child, "FAILED")

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
            import mlflow

            for key in ("data_version", "initialisation", "licences_of_data", "licences_of_weights"):
                mlflow.MlflowClient().set_tag(self._child(node), key, _words(data[key]))

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
        import mlflow

        self._keep_reports(catalog)
        mlflow.MlflowClient().set_tag(self._run_id, "error", repr(error)[:_LONGEST_VALUE])
        self._end("FAILED")

    def _keep_reports(self, catalog: CatalogProtocol) -> None:
        """Log each report and model file as an artifact of the run that it is of."""
        import mlflow

        for name, slug in self._made.items():
            path = getattr(catalog.get(name), "_filepath", None)
            if path is not None and _KEPT & set(Path(path).parts) and Path(path).is_file():
                run_id = self._children.get(slug, self._run_id)
                mlflow.log_artifact(str(path), artifact_path=Path(path).parent.name, run_id=run_id)
        mlflow.log_metric("wall_seconds", time.perf_counter() - self._started, run_id=self._run_id)

    def _begin(self) -> None:
        import mlflow

        uri = _absolute_uri(os.environ.get("MLFLOW_TRACKING_URI") or self._settings.tracking_uri, self._root)
        os.environ["MLFLOW_TRACKING_URI"] = uri  # workers and child processes write to the same place
        mlflow.set_tracking_uri(uri)
        if mlflow.get_experiment_by_name(self._settings.experiment) is None:
            place = (self._root / self._settings.artifacts).as_uri() if uri.startswith("sqlite:") else None
            mlflow.create_experiment(self._settings.experiment, artifact_location=place)
        mlflow.set_experiment(self._settings.experiment)
        mlflow.set_system_metrics_sampling_interval(self._settings.sampling_seconds)

        run = self._pending["run"]
        os.environ.pop("MLFLOW_RUN_ID", None)  # start_run() would silently continue that run
        active = mlflow.start_run(
            run_name="+".join(run.get("pipeline_names") or ["all"]), log_system_metrics=self._settings.system_metrics
        )
        self._run_id = active.info.run_id
        self._started = time.perf_counter()
        mlflow.set_tags(_tags(run, self._root))
        shared = {name: value for name, value in self._pending["parameters"].items() if not name.startswith(_RUNS)}
        mlflow.log_params(_logged(shared))
        # Ctrl-C reaches no error hook, and mlflow's own exit handler would call the run FINISHED.
        atexit.register(self._end, "KILLED")
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def _child(self, node: Node) -> str:
        """Return the nested MLflow run of the run that a node belongs to; it begins with the first question for it."""
        from mlflow import MlflowClient
        from mlflow.entities import Param
        from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

        slug, client = str(slug_of(node.tags)), MlflowClient()
        if slug not in self._children:
            experiment = client.get_run(str(self._run_id)).info.experiment_id
            tags = {MLFLOW_PARENT_RUN_ID: self._run_id, "slug": slug}
            child = self._children[slug] = client.create_run(experiment, tags=tags, run_name=slug).info.run_id
            settings = self._pending["parameters"].get(f"{_RUNS}{slug}")
            if settings is not None:
                logged = _logged({settings.method: settings})
                client.log_batch(child, params=[Param(name, value) for name, value in logged.items()])
        return self._children[slug]

    def _leave(self, node: Node, status: str) -> None:
        if self._run_id is not None and _LOGS & node.tags:
            import mlflow

            mlflow.end_run(status)

    def _log_scores(self, child: str, record: RunRecord) -> None:
        from mlflow import MlflowClient
        from mlflow.entities import Metric, RunTag

        now = int(1000 * time.time())
        scores = {f"{task}.{name}": value for task, own in record.scores.items() for name, value in own.items()}
        metrics = [Metric(name, value, now, 0) for name, value in scores.items() if math.isfinite(value)]
        client = MlflowClient()
        client.log_batch(child, metrics=metrics, tags=[RunTag("row", record.row)])
        client.set_terminated(child, "FINISHED")

    def _end(self, status: str) -> None:
        if self._run_id is None:
            return
        import mlflow

        while mlflow.active_run() is not None:  # a nested run is still open where a person has stopped the program
            mlflow.end_run(status)
        if status == "KILLED":  # between two nodes of a run, its nested one is closed
            for slug in set(self._children) - self._complete:
                mlflow.MlflowClient().set_terminated(self._children[slug], status)
        self._run_id = None


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
