"""The runs of a project: what each has left in the folders of its layers, however many there are."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from openfer.errors import DataError
from openfer.io.face_store import FaceStore
from openfer.io.left_behind import LeftBehindDataset
from openfer.io.studies import find_studies
from openfer.schemas import FEATURES, PREDICTIONS

_FACES, _MODELS, _OUTPUT, _REPORTING = "03_primary", "06_models", "07_model_output", "08_reporting"
_PREDICTIONS, _FEATURES, _ELSEWHERE = "predictions.parquet", "features.parquet", "elsewhere.parquet"
_GROUPS, _GAPS, _STABILITY = "groups.csv", "gaps.csv", "stability.csv"

PICTURES = ("grad_cam", "attention", "stability")
"""What a report shows of the pictures that a run has left."""


class Run:
    """One run: a folder with predictions, and folders of the same name in other layers. Files are read when asked for.

    Args:
        root: folder of the layers.
        name: of the run's folders, such as ``addl``; with slashes where they lie deeper.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, name

    @property
    def predictions(self) -> pd.DataFrame:
        """The predictions, :data:`openfer.schemas.PREDICTIONS`."""
        return PREDICTIONS.validate(pd.read_parquet(self._in(_OUTPUT, _PREDICTIONS)))

    @property
    def elsewhere(self) -> pd.DataFrame | None:
        """The predictions of datasets that it is only tested on, :data:`openfer.schemas.PREDICTIONS`."""
        path = self._in(_OUTPUT, _ELSEWHERE)
        return PREDICTIONS.validate(pd.read_parquet(path)) if path.is_file() else None

    @property
    def facts(self) -> list[dict[str, Any]]:
        """What is known of the run, one mapping per selection; nothing of predictions that come from elsewhere.

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
    def with_features(self) -> list[str]:
        """The samples whose features are there; none where they were not written."""
        path = self._in(_OUTPUT, _FEATURES)
        return pd.read_parquet(path, columns=["sample_id"])["sample_id"].tolist() if path.is_file() else []

    def features(self, sample_ids: Sequence[str]) -> pd.DataFrame:
        """Return what the classifier read of some tested faces, :data:`openfer.schemas.FEATURES`, and load no other."""
        chosen = [("sample_id", "in", list(sample_ids))]
        return FEATURES.validate(pd.read_parquet(self._in(_OUTPUT, _FEATURES), filters=chosen))

    @property
    def history(self) -> pd.DataFrame | None:
        """All figures of its training, one a row, where it was trained here."""
        return _table(self._in(_MODELS, "history.csv"))

    @property
    def groups(self) -> pd.DataFrame | None:
        """Its scores by group, as :func:`openfer.evaluation.fairness.fairness` gives them."""
        return _table(self._in(_REPORTING, _GROUPS))

    @property
    def gaps(self) -> pd.DataFrame | None:
        """How far the best group is from the worst, from the same function."""
        return _table(self._in(_REPORTING, _GAPS))

    @property
    def stability(self) -> pd.DataFrame | None:
        """Its failures over sequences, as :func:`openfer.evaluation.stability.stability` gives them."""
        return _table(self._in(_REPORTING, _STABILITY))

    def picture(self, kind: str) -> Path | None:
        """Return the file of one of :data:`PICTURES`, where the run has made it."""
        path = self._in(_REPORTING, f"{kind}.png")
        return path if path.is_file() else None

    def faces(self, dataset: str) -> FaceStore | None:
        """Return the faces of a dataset, where they are here."""
        folder = self.root / _FACES / dataset / "faces"
        return FaceStore(folder) if folder.is_dir() else None

    def files(self) -> Iterator[Path]:
        """Yield the files that the properties read; of the faces the facts know the version."""
        output = ("facts.json", _ELSEWHERE, _FEATURES, _PREDICTIONS)
        yield from (self._in(_OUTPUT, file) for file in output)
        yield self._in(_MODELS, "history.csv")
        reporting = (_GROUPS, _GAPS, _STABILITY, *(f"{kind}.png" for kind in PICTURES))
        yield from (self._in(_REPORTING, file) for file in reporting)

    def _in(self, layer: str, file: str) -> Path:
        return self.root / layer / self.name / file


def find_runs(root: Path) -> list[Run]:
    """Return all runs of a project that have predictions, by name."""
    found = (root / _OUTPUT).rglob(_PREDICTIONS)
    return [Run(root, path.parent.relative_to(root / _OUTPUT).as_posix()) for path in sorted(found)]


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


def _table(path: Path) -> pd.DataFrame | None:
    return pd.read_csv(path) if path.is_file() else None
