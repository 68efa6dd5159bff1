"""Checkpoints: tensors in safetensors with JSON metadata, hashed, written atomically."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openfer.errors import CheckpointError
from openfer.io.atomic import sha256_of, write_bytes

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class Checkpoint:
    """Tensors by name, and JSON-serialisable facts about them.

    Attributes:
        tensors: a flat map such as a module's ``state_dict``.
        facts: how the tensors came about: classes, method, epoch, selection, licence ...
    """

    tensors: "dict[str, Tensor]"
    facts: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically; equal content gives equal bytes.

    Raises:
        StorageError: if the disk is full; an earlier checkpoint at ``path`` is intact.
    """
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    facts = json.dumps(checkpoint.facts, sort_keys=True)
    write_bytes(path, save(tensors, metadata={"facts": facts}))


def load_checkpoint(path: Path, sha256: str | None = None) -> Checkpoint:
    """Read a checkpoint that :func:`save_checkpoint` wrote, or any other safetensors file.

    Args:
        path: the file.
        sha256: the hash that the file must have; not checked when None.

    Raises:
        CheckpointError: if the file is missing, truncated or has another hash.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise CheckpointError(
            f"checkpoint {path} does not exist; give an existing path, or run the pipeline that makes it"
        )
    check_sha256(path, sha256)
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get("facts", "{}"))
            return Checkpoint({name: file.get_tensor(name) for name in file.keys()}, facts)  # noqa: SIM118
    except SafetensorError as error:
        raise CheckpointError(
            f"checkpoint {path} ({path.stat().st_size} bytes) is truncated or not a safetensors file: {error}; "
            "delete it and run the same command again to make it, or restore it with `dvc checkout`"
        ) from error


def check_sha256(path: Path, expected: str | None) -> None:
    """Compare a file's hash with the expected one; None checks nothing.

    Raises:
        CheckpointError: if they differ; the message names both.
    """
    if expected is None:
        return
    found = sha256_of(path)
    if found != expected.lower():
        raise CheckpointError(
            f"{path} has SHA-256 {found}, expected {expected.lower()}: it is not the file that the parameters mean; "
            "fetch it again, or correct the hash if you changed the file on purpose"
        )
