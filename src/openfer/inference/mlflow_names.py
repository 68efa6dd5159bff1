"""From what MLflow calls a model to the run that made it. This module alone of its package imports MLflow, if asked."""

import os
import re
from pathlib import Path

from openfer.errors import CheckpointError
from openfer.optional import optional

_VERSION = re.compile(r"models:/(?P<name>[^/@]+)/(?P<version>\d+)")
_RUN = re.compile(r"runs:/[^/]+(/.*)?")
_DATABASE = "mlflow.db"
"""Where a project keeps its runs unless told otherwise, in the current folder."""


def is_mlflow_name(name: str) -> bool:
    """Tell whether a model is called by an address of MLflow."""
    return name.startswith(("models:/", "runs:/"))


def slug_of_mlflow(name: str) -> str:
    """Return the slug of the run that an address of MLflow means.

    The tracking server is that of the environment variable MLFLOW_TRACKING_URI, otherwise ``mlflow.db`` in the current
    folder.

    Args:
        name: ``models:/<name>/<version>`` of a registered model, or ``runs:/<run id>``, with or without a path below.

    Raises:
        CheckpointError: if it is neither, there is no tracking server, or it has no such model or run.
        ParameterError: if MLflow is not installed.
    """
    version = _VERSION.fullmatch(name)
    if version is None and _RUN.fullmatch(name) is None:
        raise CheckpointError(f"{name!r} is no address of a model; give models:/<name>/<version> or runs:/<run id>")
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{_DATABASE}"
    if uri == f"sqlite:///{_DATABASE}" and not Path(_DATABASE).is_file():  # MLflow would make an empty one
        raise CheckpointError(
            f"{name} cannot be looked up, as {Path(_DATABASE).absolute()} does not exist; go to the folder of the "
            "project, or set MLFLOW_TRACKING_URI"
        )
    with optional("train", f"the model {name}", "give the path of an .onnx file"):
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    try:
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        run_id = client.get_model_version(**version.groupdict()).run_id if version else name.split("/")[1]
        slug = client.get_run(run_id).data.tags.get("slug")
    except MlflowException as error:
        raise CheckpointError(
            f"MLflow at {uri} gives no model {name}: {str(error).splitlines()[0]}; give one of its models or runs"
        ) from error
    if slug is None:
        raise CheckpointError(
            f"{name} in MLflow at {uri} is no single run of openfer, as it has no tag `slug`; give one of the runs "
            "nested in it"
        )
    return str(slug)
