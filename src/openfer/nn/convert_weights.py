"""Takes the tensors out of a weights file that holds harmless Python objects too; run as a separate process."""

import sys
from pathlib import Path

import torch

from openfer.errors import CheckpointError
from openfer.io.checkpoint import Checkpoint, save_checkpoint
from openfer.nn.harmless import HARMLESS
from openfer.nn.weights_file import DAMAGE, state_dict_of, why_refused


def convert(source: Path, target: Path) -> int:
    """Write the tensors of a weights file into a safetensors file.

    Only objects of :data:`openfer.nn.harmless.HARMLESS` are made, and none of them is kept.

    Args:
        source: a PyTorch file.
        target: is replaced.

    Returns:
        The number of tensors.

    Raises:
        CheckpointError: if the file holds other objects, is damaged, or has no tensors by name.
        StorageError: if the disk is full.
    """
    with torch.serialization.safe_globals([(made, name) for name, made in HARMLESS.items()]):
        try:
            content = torch.load(source, map_location="cpu", weights_only=True)
        except DAMAGE as error:
            raise CheckpointError(why_refused(source, error)) from error
    tensors = {name: tensor.clone() for name, tensor in state_dict_of(content, source).items()}
    save_checkpoint(target, Checkpoint(tensors))
    return len(tensors)


if __name__ == "__main__":
    try:
        print(convert(Path(sys.argv[1]), Path(sys.argv[2])))  # noqa: T201  (the answer to the calling process)
    except CheckpointError as error:
        sys.exit(str(error))
