"""The runs of a project: the record of each, and what each has left in the folders of the layers."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from kedro.io import AbstractDataset
from pydantic import ValidationError

from openfer.errors import DataError, StorageError
from openfer.io.atomic import write_bytes
from openfer.io.copies import begin, fetch
from openfer.io.face_store import FaceStore
from openfer.io.left_behind import LeftBehindDataset
from openfer.io.provenance import content_of, forget
from openfer.io.studies import find_studies
from openfer.parameters import Settings
from openfer.schemas import FEATURES, PREDICTIONS

_FACES, _MODELS, _OUTPUT, _REPORTING = "03_primary", "06_models", "07_model_output", "08_reporting"
_PREDICTIONS, _FEATURES, _ELSEWHERE = "predictions.parquet", "features.parquet", "elsewhere.parquet"
_GROUPS, _GAPS, _STABILITY = "groups.csv", "gaps.csv", "stability.csv"
_RECORD = "run.json"

LAYERS = (_MODELS, _OUTPUT, _REPORTING)
"""The layers in which a run has a folder: ``<layer>/<method>/<slug>``."""

PICTURES = ("grad_cam", "attention", "stability")
"""The pictures of a run that a report shows."""


class RunRecord(Settings):
    """What is known of a run that has ended.

    Attributes:
        slug: its identity.
        state: ``done``, or ``failed``.
        settings: its settings, as plain values.
        row: its name in tables.
        prerequisites: slugs of the runs that it needed, by method.
        trained: slug of the run whose models it predicts with; empty if they are its own.
        selection: the main one; empty for a method without a task.
        scores: of the main selection, by task and measure.
        seconds: that its training took; validation and data loading before the first epoch excluded.
        error: why it failed; empty otherwise.
    """

    slug: str
    state: Literal["done", "failed"]
    settings: dict[str, Any]
    row: str
    prerequisites: dict[str, str] = {}
    trained: str = ""
    selection: str = ""
    scores: dict[str, dict[str, float]] = {}
    seconds: float = 0.0
    error: str = ""


class Run:
    """One run: folders of its name in three layers. Files are read when asked for.

    Args:
        root: folder of the layers.
        name: its slug.
        method: folder that the run's folders lie in; the slug's first word by default.
    """

    def __init__(self, root: Path, name: str, method: str | None = None) -> None:
        self.root, self.name = root, name
        self.method = method or name.partition("-")[0]

    @property
    def record(self) -> RunRecord | None:
        """What is known of it; None for a run that has not ended.

        Raises:
            DataError: if the file is damaged.
        """
        path = self.record_path
        if not path.is_file():
            return None
        try:
            return RunRecord.model_validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]["msg"]
            raise DataError(
                f"{path} is not the record of a run: {first}; delete it and run the same command again"
            ) from error

    @property
    def record_path(self) -> Path:
        """The file of its record, present or not."""
        return self._in(_MODELS, _RECORD)

    @property
    def is_done(self) -> bool:
        """Whether it is complete."""
        record = self.record
        return record is not None and record.state == "done"

    @property
    def predictions(self) -> pd.DataFrame:
        """The predictions, :data:`openfer.schemas.PREDICTIONS`."""
        return PREDICTIONS.validate(pd.read_parquet(self._in(_OUTPUT, _PREDICTIONS)))

    @property
    def n_tested(self) -> int | None:
        """The number of tested faces; None without predictions."""
        path = self._in(_OUTPUT, _PREDICTIONS)
        return pd.read_parquet(path, columns=["sample_id"])["sample_id"].nunique() if path.is_file() else None

    @property
    def elsewhere(self) -> pd.DataFrame | None:
        """Return the predictions of datasets on which the run is only tested, :data:`openfer.schemas.PREDICTIONS`."""
        path = self._in(_OUTPUT, _ELSEWHERE)
        return PREDICTIONS.validate(pd.read_parquet(path)) if path.is_file() else None

    @property
    def facts(self) -> list[dict[str, Any]]:
        """The facts of the run, one mapping per selection; none for predictions of another program.

        Raises:
            DataError: if the file is no JSON.
        """
        path = self._in(_OUTPUT, "facts.json")
        if not path.is_file():
            return []
        try:
            return json.loads(path.read_text())
        except json.JSONDecodeError as error:
            raise DataError(f"{path} is no JSON ({error}); delete it and run the method's pipeline again") from error

    @property
    def main_selection(self) -> str:
        """The selection that it reports first."""
        return next(str(fact["selection"]) for fact in self.facts if fact["main_selection"])

    @property
    def with_features(self) -> list[str]:
        """The samples whose features are stored; none where no features are."""
        path = self._in(_OUTPUT, _FEATURES)
        return pd.read_parquet(path, columns=["sample_id"])["sample_id"].tolist() if path.is_file() else []

    def features(self, sample_ids: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the classifier's input features, :data:`openfer.schemas.FEATURES`.

        Args:
            sample_ids: the tested faces to load; all by default.
        """
        chosen = None if sample_ids is None else [("sample_id", "in", list(sample_ids))]
        return FEATURES.validate(pd.read_parquet(self._in(_OUTPUT, _FEATURES), filters=chosen))

    @property
    def history(self) -> pd.DataFrame | None:
        """All figures of its training, one a row; None where it was not trained here."""
        record = self.record
        trained = self if record is None or not record.trained else Run(self.root, record.trained, self.method)
        return _table(trained._in(_MODELS, "history.csv"))

    @property
    def groups(self) -> pd.DataFrame | None:
        """Its scores by group, from :func:`openfer.evaluation.fairness.fairness`."""
        return _table(self._in(_REPORTING, _GROUPS))

    @property
    def gaps(self) -> pd.DataFrame | None:
        """The gaps between its best and worst group, from the same function."""
        return _table(self._in(_REPORTING, _GAPS))

    @property
    def stability(self) -> pd.DataFrame | None:
        """Its failures over sequences, from :func:`openfer.evaluation.stability.stability`."""
        return _table(self._in(_REPORTING, _STABILITY))

    def picture(self, kind: str) -> Path | None:
        """Return the file of one of :data:`PICTURES`; None where the run has not made it."""
        path = self._in(_REPORTING, f"{kind}.png")
        return path if path.is_file() else None

    def faces(self, dataset: str) -> FaceStore | None:
        """Return the faces of a dataset; None where they are not here."""
        folder = self.root / _FACES / dataset / "faces"
        fetch(folder)
        return FaceStore(folder) if folder.is_dir() else None

    def files(self) -> Iterator[Path]:
        """Yield the files that the properties read, present or not; the facts hold the version of the faces."""
        output = ("facts.json", _ELSEWHERE, _FEATURES, _PREDICTIONS)
        yield from (self._in(_OUTPUT, file) for file in output)
        yield from (self._in(_MODELS, file) for file in ("history.csv", _RECORD))
        reporting = (_GROUPS, _GAPS, _STABILITY, *(f"{kind}.png" for kind in PICTURES))
        yield from (self._in(_REPORTING, file) for file in reporting)

    @property
    def folders(self) -> list[Path]:
        """Its folders, present or not."""
        return [self.root / layer / self.method / self.name for layer in LAYERS]

    def _in(self, layer: str, file: str) -> Path:
        return self.root / layer / self.method / self.name / file


def find_runs(root: Path) -> list[Run]:
    """Return all runs of a project that have predictions, by name."""
    found = (root / _OUTPUT).glob(f"*/*/{_PREDICTIONS}")
    return [Run(root, path.parent.name, path.parent.parent.name) for path in sorted(found)]


class RunsDataset(LeftBehindDataset[Run]):
    """All runs that a project has predictions of; an error if there is neither a run nor a study."""

    _kind = "runs"

    def _found(self) -> list[Run]:
        runs = find_runs(self._root)
        if not runs and not find_studies(self._root):
            raise DataError(
                f"no run has left predictions in {self._root / _OUTPUT} and no study a table in "
                f"{self._root / _REPORTING / 'studies'}, so there is nothing to report; train a method first, such as "
                "by `kedro run --pipelines baseline`"
            )
        return runs


class RunDataset(AbstractDataset[RunRecord, Run]):
    """One run: saved as its record, loaded as a :class:`Run`.

    Args:
        path: folder of the layers.
        method: of the run.
        slug: of the run.
        metadata: Kedro's.
    """

    def __init__(self, *, path: str, method: str, slug: str, metadata: dict[str, Any] | None = None) -> None:
        self._run = Run(Path(path), slug, method)
        self._filepath = self._run.folders[0] / _RECORD
        self.metadata = metadata

    def save(self, data: RunRecord) -> None:
        """Write the record."""
        write_bytes(self._filepath, data.model_dump_json(indent=1).encode())

    def load(self) -> Run:
        """Return the run; its files are read when asked for."""
        return self._run

    def fail(self, reason: str) -> None:
        """Write the record of a run that failed, also where its bucket cannot be reached."""
        with suppress(StorageError):
            begin(self._filepath)
        forget(self._filepath)
        self.save(RunRecord(slug=self._run.name, state="failed", settings={}, row="", error=reason))

    def content(self) -> str:
        """Return a hash of all that is read of the run.

        Raises:
            DataError: if a file was changed after openfer had made it.
        """
        return content_of(self._run.root, self._run.files())

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def _table(path: Path) -> pd.DataFrame | None:
    return pd.read_csv(path) if path.is_file() else None
