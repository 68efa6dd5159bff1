"""What a model can be called: the one that openfer carries, a file, or a run of a project."""

from pathlib import Path

from openfer.errors import CheckpointError, did_you_mean

CARRIED = Path(__file__).with_name("models")
"""The models that openfer carries, one ``.onnx`` file each."""


def model_path(name: str | Path) -> Path:
    """Return the file of a model.

    Args:
        name: of a carried model; the path of an ``.onnx`` file; or the slug of an exported run of the project in the
            current folder.

    Raises:
        CheckpointError: if there is no such model.
    """
    path = Path(name)
    if path.suffix == ".onnx":
        return path
    carried = {file.stem: file for file in sorted(CARRIED.glob("*.onnx"))}
    if str(name) in carried:
        return carried[str(name)]
    exported = {file.parent.name: file for file in sorted(Path("data/06_models").glob("*/*/model.onnx"))}
    if str(name) in exported:
        return exported[str(name)]
    known = [*carried, *exported]
    raise CheckpointError(
        f"there is no model {str(name)!r} in openfer ({CARRIED}) or among the exported runs in data/06_models; "
        f"{did_you_mean(str(name), known)}give {', '.join(known) or 'the path of an .onnx file'}, or export a run with "
        "`openfer export RUN`"
    )
