"""A project of its own for a benchmark: this one's parameters, with others in `conf/local`, and `kedro run` in it."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]


def lay_out(project: Path, values: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Lay out a project without MLflow in a folder that does not exist yet.

    Args:
        project: the folder.
        values: globals of `conf/local`.
        parameters: parameters of `conf/local`.
    """
    shutil.copytree(ROOT / "conf", project / "conf", ignore=shutil.ignore_patterns("local"))
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, project / name)
    (project / "src").mkdir()  # Kedro asks for the folder
    local = project / "conf/local"
    (local / "parameters").mkdir(parents=True)
    (local / "globals.yml").write_text(yaml.safe_dump(dict(values)))
    (local / "mlflow.yml").write_text("enabled: false\n")
    (local / "parameters/benchmark.yml").write_text(yaml.safe_dump(dict(parameters)))


def kedro_run(*words: str) -> list[str]:
    """Return the command that is `kedro run` with this interpreter."""
    return [sys.executable, "-m", "kedro", "run", *words]


def surroundings(**more: str) -> dict[str, str]:
    """Return the environment of such a command: this code, and no telemetry."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "DO_NOT_TRACK": "1", "COLUMNS": "200", **more}
