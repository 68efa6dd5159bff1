"""Plans run on a handful of faces in this process: the catalog's own patterns and runner, without a Kedro session."""

import functools
import logging
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline

from openfer.nn.open_features_settings import OpenFeaturesSettings
from openfer.pipelines.run_pipeline import runs_pipeline
from openfer.pipelines.study.pipeline import study_pipeline
from openfer.runners import IdempotentRunner
from openfer.runs.project import Plan, plan
from openfer.runs.settings import RunSettings
from openfer.runs.study import StudyPlan
from openfer.schemas import complete_rows
from openfer.settings import CONFIG_LOADER_ARGS, CONFIG_LOADER_CLASS
from tests.conftest import TinyFaces
from tests.left_out import without_resume_files
from tests.pipelines.conftest import ROOT

SIDE = 40
METHOD: Mapping[str, Any] = {
    "datasets": ["a"],
    "seed": 0,
    "images": {"size": SIDE, "crop": SIDE},
    "training": {"device": "cpu", "workers": 0, "selections": ["best_val", "last"]},
    "settings": {"schedule": {"epochs": 1, "batch_size": 14, "learning_rate": 1e-3}},
}
"""Parameters of a method that trains in a second."""

ROLES = ("train",) * 28 + ("val",) * 14 + ("test",) * 14
"""Of the tiny faces: four people train, two validate, two are tested."""


@dataclass(frozen=True)
class TinyProject:
    """The data folder of a project, whose datasets come from elsewhere as tables.

    Attributes:
        root: folder of the layers.
    """

    root: Path

    def catalog(self, asked: Plan) -> DataCatalog:
        """Return a catalog of the project's patterns, with all runs and the study of a plan as parameters."""
        catalog = DataCatalog.from_config(_entries(self.root))
        for slug, settings in asked.parameters["runs"].items():
            catalog[f"params:runs.{slug}"] = MemoryDataset(RunSettings.model_validate(settings))
        catalog["params:export"] = MemoryDataset(asked.export)
        if "open_features" in asked.parameters:
            features = OpenFeaturesSettings.model_validate(asked.parameters["open_features"])
            catalog["params:open_features"] = MemoryDataset(features)
        if asked.study is not None:
            study = StudyPlan.model_validate(asked.parameters["study_plan"])
            catalog["params:study_plan"] = MemoryDataset(study)
        return catalog

    def bring(self, name: str, faces: TinyFaces, roles: Iterable[str] = ROLES, **columns: Any) -> None:
        """Save rows, faces and split of a dataset; the last five faces are on the list ``occlusion``."""
        rows, split = tables(name, faces, roles)
        subsets = [["occlusion"] if place >= len(rows) - 5 else None for place in range(len(rows))]
        self.save(f"{name}_rows@table", rows.assign(subsets=subsets, **columns))
        self.save(f"{name}_split", split)
        shutil.copytree(faces.store.folder, self.root / "03_primary" / name / "faces")

    def save(self, entry: str, value: Any) -> None:
        """Save a catalog entry."""
        DataCatalog.from_config(_entries(self.root)).save(entry, value)

    def load(self, entry: str) -> Any:
        """Load a catalog entry."""
        return DataCatalog.from_config(_entries(self.root)).load(entry)

    def run(self, pipeline: Pipeline, asked: Plan) -> list[str]:
        """Run a pipeline; returns the names of the nodes that ran.

        Raises:
            Exception: what failed, after all else has run.
        """
        heard = _Heard()
        logger = logging.getLogger("openfer.runners")
        level = logger.level
        logger.addHandler(heard)
        logger.setLevel(logging.INFO)
        try:
            with without_resume_files():
                IdempotentRunner().run(pipeline, self.catalog(asked))
        finally:
            logger.removeHandler(heard)
            logger.setLevel(level)
        return heard.ran

    def study(self, parameters: Mapping[str, Any], *, whole: bool = False) -> list[str]:
        """Run the study that parameters ask for; returns the names of the nodes that ran.

        Args:
            parameters: all top-level ones.
            whole: with all tables and pictures of its runs, not only their records and what the study's own need.
        """
        asked = plan(parameters)
        assert asked.study is not None
        pipeline = study_pipeline(asked.study, asked.datasets)
        space, last = f"studies.{asked.study.plan.name}", ".finish"
        own = [node.name for node in pipeline.nodes if node.namespace == space or node.name.endswith(last)]
        return self.run(pipeline if whole else pipeline.to_nodes(*own), asked)

    def method(self, name: str, parameters: Mapping[str, Any]) -> list[str]:
        """Run a method's own pipeline up to the records of its runs; returns the names of the nodes that ran."""
        asked = plan(parameters)
        pipeline = runs_pipeline(asked.requested[name], asked.datasets)
        return self.run(pipeline.to_outputs(*(f"{run.slug}_run" for run in asked.requested[name])), asked)

    def table(self, study: str, file: str) -> pd.DataFrame:
        """Return one of the tables that a study has left."""
        return pd.read_csv(self.root / "08_reporting/studies" / study / f"{file}.csv", keep_default_na=file != "cells")

    def words(self, study: str) -> str:
        """Return the table of a study in words."""
        return (self.root / "08_reporting/studies" / study / "table.md").read_text()


def tables(name: str, faces: TinyFaces, roles: Iterable[str] = ROLES) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows and split of the tiny faces as a dataset of any name."""
    columns = ["sample_id", "partition", "expression", "gender", "race", "identity"]
    rows = faces.scenes[columns].assign(dataset=name, subject=faces.scenes["person"], path="x", licence="CC0-1.0")
    return complete_rows(rows), pd.DataFrame({"sample_id": rows["sample_id"], "fold": 0, "role": list(roles)})


@functools.cache
def _entries(root: Path) -> dict[str, Any]:
    loader = CONFIG_LOADER_CLASS(str(ROOT / "conf"), env="base", **CONFIG_LOADER_ARGS)
    loader["globals"] = loader["globals"] | {"data_root": str(root)}
    return dict(loader["catalog"])


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.ran: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if str(record.msg).startswith("running") and isinstance(record.args, tuple):
            self.ran.append(str(record.args[0]))
