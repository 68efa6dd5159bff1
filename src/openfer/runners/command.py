"""The command that a runner works on, so that a process elsewhere can repeat a part of it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openfer.errors import OpenferError, RunError

_handed: list["Command"] = []

COMMAND_RUN = "OPENFER_MLFLOW_RUN"
"""Environment variable: the MLflow run of the command that this process does a part of."""


@dataclass(frozen=True)
class Command:
    """What was typed after ``kedro run``.

    Attributes:
        project: its folder.
        env: the environment; None for the default one.
        parameters: of ``--params``.
        pipelines: of ``--pipelines``; None for the default one.
    """

    project: Path
    env: str | None
    parameters: Mapping[str, Any]
    pipelines: tuple[str, ...] | None

    @classmethod
    def from_kedro(cls, run_params: Mapping[str, Any]) -> "Command":
        """Take it from what Kedro hands to its hooks."""
        names = run_params["pipeline_names"]
        return cls(
            project=Path(run_params["project_path"]),
            env=run_params["env"],
            parameters=dict(run_params["runtime_params"] or {}),
            pipelines=None if names is None else tuple(names),
        )


def hand_over(command: Command) -> None:
    """Set the command of this Kedro session."""
    _handed[:] = [command]


def current_command() -> Command:
    """Return the command of this Kedro session.

    Raises:
        RunError: outside of one.
    """
    if not _handed:
        raise RunError("No Kedro session runs here, so that no other process could repeat its command; use `kedro run`")
    return _handed[0]


def run_part(command: Command, nodes: Iterable[str], mlflow_run: str | None) -> OpenferError | None:
    """Run some nodes of a command in this process; returns the error of the one that failed.

    Args:
        command: of the process that asks.
        nodes: names of the nodes.
        mlflow_run: the MLflow run of the command; None if it keeps none.

    Returns:
        None if all nodes are up to date now.
    """
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    from openfer.runners.failures import cause_of, in_words
    from openfer.runners.idempotent import IdempotentRunner

    os.chdir(command.project)  # every relative path is the project's
    if mlflow_run is not None:
        os.environ[COMMAND_RUN] = mlflow_run
    bootstrap_project(command.project)
    names = None if command.pipelines is None else list(command.pipelines)
    try:
        with KedroSession.create(command.project, env=command.env, runtime_params=dict(command.parameters)) as session:
            session.run(pipeline_names=names, node_names=list(nodes), runner=IdempotentRunner())
    except Exception as error:  # noqa: BLE001 - whatever it is goes to the process that asked, which tells the user
        own = cause_of(error)
        return own if isinstance(own, OpenferError) else RunError(in_words(error))
    return None
