"""One run of a study: trained with all that it starts from, or found where it was run before."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from openfer.code_version import code_version, runs
from openfer.io.provenance import decisive
from openfer.methods.declaration import METHODS
from openfer.pipelines import method_nodes, training_nodes
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.study.run_store import FinishedRun, RunStore
from openfer.pipelines.study_plan import PlannedRun
from openfer.pipelines.training_data import data_version, sources_of
from openfer.training.tracking import child_run

if TYPE_CHECKING:
    from openfer.io.checkpoint import Checkpoint

_log = logging.getLogger(__name__)


class StudyRuns:
    """Runs what is asked of it on the data that it is given.

    Args:
        data: by dataset and part: ``rows``, ``faces``, ``split`` and the extras.
        store: of finished runs.
    """

    def __init__(self, data: Mapping[tuple[str, str], Any], store: RunStore) -> None:
        self._data = data
        self._store = store
        self._versions: dict[tuple[Any, ...], str] = {}

    def identity(self, planned: PlannedRun) -> str:
        """Return sixteen digits that change with what decides a run: parameters, data, code, what it starts from."""
        return hashlib.sha256(json.dumps(self._ingredients(planned), sort_keys=True).encode()).hexdigest()[:16]

    def run(self, planned: PlannedRun, label: str) -> FinishedRun:
        """Return a run, trained to its end now if it was not before.

        Args:
            planned: what to run.
            label: what it is called in logs and in MLflow.
        """
        identity = self.identity(planned)
        found = self._store.find(identity)
        if found is not None:
            return found
        planned.run.initialisation.refuse_missing_file()  # before what comes first is trained for nothing
        starts = [self.run(needed, f"{label} < {name}") for name, needed in planned.needs.items()]
        run = planned.run
        _log.info("study run    %s (%s)", label, identity)
        began = time.perf_counter()
        tables = tables_for(run, self._data)
        with child_run(label, {"method": run.method, "seed": run.seed, "fold": run.fold, "identity": identity}) as log:
            models = (start.models for start in starts)
            states, history, *_ = _training(run)(run, self._store.work(identity), *tables, *models)
            predicted = None
            if next(iter(states.values())).facts["classes"]:
                loaded = {selection: _given(state) for selection, state in states.items()}
                predicted = method_nodes.predict(run, loaded, *tables)
                log(_accuracies(predicted[0]) | {"wall_seconds": time.perf_counter() - began})
        return self._store.keep(identity, self._ingredients(planned), states, history, predicted)

    def _ingredients(self, planned: PlannedRun) -> dict[str, Any]:
        run = planned.run
        method = f"openfer.methods.{run.method}"
        return {
            "run": decisive(run),
            "data": self._version(run),
            "code": [code_version(runs(_training(run), method)), code_version(runs(method_nodes.predict, method))],
            "needs": {name: self.identity(needed) for name, needed in planned.needs.items()},
        }

    def _version(self, run: MethodRun) -> str:
        key = (run.datasets, run.fold, run.seed, run.method, METHODS[run.method].tasks_of(run.settings))
        if key not in self._versions:
            self._versions[key] = data_version(sources_of(run, tables_for(run, self._data)))
        return self._versions[key]


def tables_for(run: MethodRun, data: Mapping[tuple[str, str], Any]) -> list[Any]:
    """Return the inputs of a method's nodes: rows, faces, split and extras of each of its datasets.

    Args:
        run: the method's parameters.
        data: by dataset and part.
    """
    parts = ("rows", "faces", "split", *METHODS[run.method].extras)
    return [data[dataset, part] for dataset in run.datasets for part in parts]


def _training(run: MethodRun) -> Callable[..., Any]:
    return training_nodes.train if run.training.neighbourhood_mask is None else training_nodes.train_masked


def _given(state: "Checkpoint") -> Any:
    return lambda: state


def _accuracies(predictions: Any) -> dict[str, float]:
    from openfer.evaluation.predictions import classified

    predictions = classified(predictions)
    right = (predictions["y_true"] == predictions["y_pred"]).groupby(
        [predictions["selection"], predictions["task"]], sort=False
    )
    return {f"accuracy/{selection}/{task}": float(value) for (selection, task), value in right.mean().items()}


def in_words(error: BaseException) -> str:
    """Return an error in a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
