"""Finished runs of studies in a folder, one inner folder each: what has been run is never run again."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from openfer.errors import ParameterError
from openfer.io.atomic import atomic_path, write_bytes
from openfer.io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

_MODELS, _WORK, _FACTS, _MADE = "models", ".work", "facts.json", "made_by.json"


@dataclass(frozen=True)
class FinishedRun:
    """A run's folder, complete.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @property
    def models(self) -> dict[str, Callable[[], Checkpoint]]:
        """The checkpoints by selection, loaded when called."""
        return {path.stem: partial(load_checkpoint, path) for path in sorted((self.folder / _MODELS).iterdir())}

    @cached_property
    def history(self) -> pd.DataFrame:
        """The figures of its training, epoch by epoch."""
        return pd.read_csv(self.folder / "history.csv")

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Valid under :data:`openfer.schemas.PREDICTIONS`.

        Raises:
            ParameterError: if the method has no task, and so has not predicted.
        """
        path = self.folder / "predictions.parquet"
        if not path.is_file():
            raise ParameterError(
                f"the run {self.folder.name} has no predictions, as its method learns no task: it may stand before a "
                "study's row, and be none; take the row out"
            )
        return pd.read_parquet(path)

    @cached_property
    def features(self) -> pd.DataFrame:
        """Valid under :data:`openfer.schemas.FEATURES`."""
        return pd.read_parquet(self.folder / "features.parquet")

    @cached_property
    def facts(self) -> list[dict[str, Any]]:
        """What is known of the run, one mapping per selection."""
        facts: list[dict[str, Any]] = json.loads((self.folder / _FACTS).read_text())
        return facts

    def tables(self, names: Sequence[str], make: Callable[[], Sequence[pd.DataFrame]]) -> list[pd.DataFrame]:
        """Return tables that were kept with the run, or make and keep them."""
        paths = [self.folder / f"{name}.parquet" for name in names]
        if not all(path.is_file() for path in paths):
            for path, table in zip(paths, make(), strict=True):
                with atomic_path(path) as temporary:
                    table.to_parquet(temporary, index=False)
        return [pd.read_parquet(path) for path in paths]


class RunStore:
    """The finished runs by what made them.

    Args:
        folder: of all runs; made if needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, identity: str) -> FinishedRun | None:
        """Return the run of these ingredients, or None where it has not been run to its end."""
        folder = self._folder / identity
        return FinishedRun(folder) if folder.is_dir() else None

    def needed(self, run: FinishedRun, name: str) -> FinishedRun | None:
        """Return the run of a name that a run started from, or None if it started from no such one."""
        needs: dict[str, str] = json.loads((run.folder / _MADE).read_text())["needs"]
        return self.find(needs[name]) if name in needs else None

    def unfinished(self) -> list[Path]:
        """Return the folders of trainings that were begun and not ended, whatever their settings and code."""
        return sorted(self._folder.glob(f"*{_WORK}"))

    def work(self, identity: str) -> Path:
        """Return the folder in which a killed training of these ingredients is found again."""
        folder = self._folder / f"{identity}{_WORK}"
        folder.mkdir(exist_ok=True)
        return folder

    def keep(
        self,
        identity: str,
        ingredients: Mapping[str, Any],
        models: Mapping[str, Checkpoint],
        history: pd.DataFrame,
        predicted: tuple[pd.DataFrame, pd.DataFrame, list[dict[str, Any]]] | None,
    ) -> FinishedRun:
        """Write a run's results; the folder appears when all of it is there.

        Args:
            identity: the folder's name.
            ingredients: what made it, for whoever looks.
            models: by selection, the main one first.
            history: of its training.
            predicted: predictions, features and facts; None of a method without a task.
        """
        folder, part = self._folder / identity, self._folder / f"{identity}.part"
        shutil.rmtree(part, ignore_errors=True)
        (part / _MODELS).mkdir(parents=True)
        for selection, model in models.items():
            save_checkpoint(part / _MODELS / f"{selection}.safetensors", model)
        history.to_csv(part / "history.csv", index=False)
        if predicted is not None:
            predictions, features, facts = predicted
            predictions.to_parquet(part / "predictions.parquet", index=False)
            features.to_parquet(part / "features.parquet", index=False)
            write_bytes(part / _FACTS, json.dumps(facts, indent=1).encode())
        write_bytes(part / _MADE, json.dumps(ingredients, indent=1, sort_keys=True).encode())
        part.rename(folder)
        shutil.rmtree(self._folder / f"{identity}{_WORK}", ignore_errors=True)
        return FinishedRun(folder)
