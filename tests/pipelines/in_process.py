"""`kedro run` in this process: one project for many datasets, a second a run instead of six."""

import contextlib
import functools
import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from kedro.framework.cli.cli import KedroCLI
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from openfer.io.face_store import FaceStore
from openfer.pipelines import planned
from openfer.runners import IdempotentRunner
from tests import parsed_files  # noqa: F401 - a start of Kedro then takes three quarters of the time
from tests.left_out import without_resume_files
from tests.pipelines.conftest import ROOT, new_project


@functools.cache
def _configured() -> None:
    """Configure Kedro; all projects here have the settings and the package of this one."""
    bootstrap_project(ROOT)


def forget_pipelines() -> None:
    """Let Kedro make its pipelines anew; it would give those of the dataset and the command before."""
    _configured()
    pipelines.configure("openfer.pipeline_registry")


def typed(project: Path, *arguments: str, expect: int = 0, folder: str = ".") -> str:
    """Type `kedro run ...` in a folder of a project where no node will run; returns all that it prints, on one line.

    A run of nodes leaves MLflow's marks on its process and needs one of its own (:meth:`Project.run`).
    """
    said = io.StringIO()
    logged = logging.StreamHandler(said)
    logging.getLogger().addHandler(logged)
    with contextlib.chdir(project / folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            KedroCLI(project).main(["run", *arguments])
        except SystemExit as end:
            status = end.code or 0
        finally:
            logging.getLogger().removeHandler(logged)
            planned._handed.clear()
            forget_pipelines()
    words = " ".join(said.getvalue().split())
    assert status == expect, f"exit status {status}, expected {expect}: {words[-6000:]}"
    assert "running " not in words
    return words


@dataclass(frozen=True)
class Workshop:
    """A project with raw folders, without MLflow."""

    path: Path

    @classmethod
    def new(cls, path: Path) -> "Workshop":
        """Lay one out in an empty place."""
        new_project(path)
        (path / "conf/local/mlflow.yml").write_text("enabled: false\n")
        (path / "conf/local/parameters/doctor.yml").write_text("doctor: {workers: 1}\n")
        return cls(path)

    def raw(self, dataset: str) -> Path:
        """Return the raw folder that :meth:`describe` gives a dataset."""
        return self.path / "raw" / dataset

    def describe(self, dataset: str, **parameters: Any) -> None:
        """Write what a dataset's parameters say beside the default ones."""
        common = {"faces": {"workers": 1, "size": 64}, "protocol": {"validation_share": 0.3}}
        block = common | {"root": str(self.raw(dataset))} | parameters
        (self.path / f"conf/local/parameters/{dataset}.yml").write_text(yaml.safe_dump({dataset: block}))

    def run(
        self, names: str, dataset: str, env: str | None = None, *, twice: bool = False, **parameters: Any
    ) -> list[str]:
        """Run pipelines, named with blanks between them; returns the names of the nodes that ran.

        Args:
            names: of the pipelines.
            dataset: which one.
            env: the environment.
            twice: run them once more, with another look at all files; a node that has run again is named again.
            **parameters: of the command line.
        """
        forget_pipelines()
        heard = _Heard()
        logger = logging.getLogger("openfer.runners")
        logger.addHandler(heard)
        try:
            given = {"dataset": dataset, **parameters}
            with KedroSession.create(self.path, env=env, runtime_params=given) as session, without_resume_files():
                session.run(pipeline_names=names.split(), runner=_Twice() if twice else IdempotentRunner())
        finally:
            logger.removeHandler(heard)
            planned._handed.clear()
            forget_pipelines()
        assert heard.said, "the runner said nothing"
        return heard.ran

    def table(self, layer: str, dataset: str, name: str) -> pd.DataFrame:
        path = self.path / "data" / layer / dataset / name
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, keep_default_na=False)

    def rows(self, dataset: str) -> pd.DataFrame:
        return self.table("02_intermediate", dataset, "rows.parquet")

    def quarantine(self, dataset: str) -> pd.DataFrame:
        return self.table("03_primary", dataset, "quarantine.parquet")

    def split(self, dataset: str) -> pd.DataFrame:
        return self.table("05_model_input", dataset, "split.parquet")

    def faces(self, dataset: str) -> FaceStore:
        return FaceStore(self.path / "data/03_primary" / dataset / "faces")


class _Twice(IdempotentRunner):
    """Runs a pipeline twice, as if its command were typed again; a second session takes longer than the second run."""

    def _run(self, *arguments: Any, **named: Any) -> None:
        super()._run(*arguments, **named)
        super()._run(*arguments, **named)


class _Heard(logging.Handler):
    """Notes which nodes ran, and how often it was told of one."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.ran: list[str] = []
        self.said = 0

    def emit(self, record: logging.LogRecord) -> None:
        arguments = record.args if isinstance(record.args, tuple) else ()
        if str(record.msg).startswith(("up to date", "running")):
            self.said += 1
        if str(record.msg).startswith("running"):
            self.ran.append(str(arguments[0]))


def without_dataset(nodes: list[str], dataset: str) -> set[str]:
    """Return node names without the dataset's."""
    return {name.removeprefix(f"{dataset}.") for name in nodes}
