"""What a model can be called: the one that openfer carries, a file, a run of a project, or an address of MLflow."""

from pathlib import Path

from openfer.errors import CheckpointError, did_you_mean
from openfer.inference.mlflow_names import is_mlflow_name, slug_of_mlflow

CARRIED = Path(__file__).with_name("models")
"""The models that openfer carries, one ``.onnx`` file each."""


def model_path(name: str | Path) -> Path:
    """Return the file of a model.

    Args:
        name: of a carried model; the path of an ``.onnx`` file; the slug of an exported run of the project in the
            current folder; or ``models:/<name>/<version>`` or ``runs:/<run id>``, which mean such a run by MLflow.

    Raises:
        CheckpointError: if there is no such model.
        ParameterError: if it is an address of MLflow, which is not installed.
    """
    path = Path(name)
    if is_mlflow_name(str(name)):
        return _of_mlflow(str(name))
    if path.suffix == ".onnx":
        return path
    carried = {file.stem: file for file in sorted(CARRIED.glob("*.onnx"))}
    if str(name) in carried:
        return carried[str(name)]
    exported = _exported()
    if str(name) in exported:
        return exported[str(name)]
    known = [*carried, *exported]
    named = did_you_mean(str(name), known, f"give {', '.join(known) or 'the path of an .onnx file'}")
    raise CheckpointError(
        f"there is no model {str(name)!r} in openfer ({CARRIED}) or among the exported runs in data/06_models; "
        f"{named}, or export a run with `openfer export RUN`"
    )


def _exported() -> dict[str, Path]:
    return {file.parent.name: file for file in sorted(Path("data/06_models").glob("*/*/model.onnx"))}


def _of_mlflow(name: str) -> Path:
    slug = slug_of_mlflow(name)
    found = _exported().get(slug)
    if found is None:
        raise CheckpointError(
            f"{name} is the run {slug}, which has no exported file in {Path('data/06_models').absolute()}; "
            f"export it with `openfer export {slug}`"
        )
    return found
