"""Weights files of any origin: tensors by name, or one error that says what the file holds instead."""

import pickle
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from openfer.errors import CheckpointError
from openfer.io.checkpoint import Checkpoint, check_sha256, load_checkpoint
from openfer.nn.dlib_file import DLIB, read_dlib
from openfer.nn.harmless import HARMLESS

_NESTS = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "backbone", "encoder"),
    *("params", "weights", "state_dict_ema", "model_ema", "ema_state_dict", "ema_model", "ema", "module"),
)
"""Keys under which programs keep a state dict; averaged weights count where there are no others."""

_HEAD = 512
_NO_WEIGHTS = (
    (
        re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE),
        "a web page, such as one that asks to confirm a download",
    ),
    (
        re.compile(rb"version https://git-lfs"),
        "a pointer of Git LFS; `git lfs pull` in its repository fetches the file",
    ),
    (re.compile(rb"\x89HDF"), "an HDF5 file, as Keras writes them"),
    (re.compile(rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!"), "a compressed archive; unpack it"),
    (re.compile(rb"\s*[\[{]"), "JSON text"),
)
"""Beginnings of files that people take for weights, and what they are."""

_GLOBAL = re.compile(r"GLOBAL (\S+)")
_SHOWN = 3

DAMAGE = (
    pickle.UnpicklingError, struct.error, RuntimeError, OSError, EOFError,
    LookupError, ValueError, TypeError, AttributeError, AssertionError,
)  # fmt: skip
"""What the unpickler raises for bytes that are no pickle."""


def read_weights(path: Path, sha256: str | None) -> Checkpoint:
    """Return the tensors of a weights file, however they are wrapped; no object of the file is run.

    Args:
        path: of safetensors, PyTorch or dlib (``.dat``).
        sha256: the hash that the file must have; unchecked when None.

    Raises:
        CheckpointError: if the file is damaged, is something else, holds more than tensors or has another hash.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if path.suffix == ".safetensors" or _is_safetensors(head):
        _refuse_other_files(path, head)
        return load_checkpoint(path, sha256)
    check_sha256(path, sha256)
    if path.suffix == DLIB:
        return Checkpoint(read_dlib(path))
    _refuse_other_files(path, head)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGE as error:
        raise CheckpointError(why_refused(path, error)) from error
    return Checkpoint(state_dict_of(content, path))


def state_dict_of(content: Any, path: Path) -> dict[str, Tensor]:
    """Return the state dict in what a file held, however it is wrapped.

    Raises:
        CheckpointError: if there are no tensors by name.
    """
    for nest in _NESTS:
        if isinstance(content, Mapping) and isinstance(content.get(nest), Mapping):
            return state_dict_of(content[nest], path)
    tensors = (
        {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
        if isinstance(content, Mapping)
        else {}
    )
    if not tensors:
        raise CheckpointError(f"weights file {path} holds no tensors by name; save a network's state_dict in it")
    return tensors


def _is_safetensors(head: bytes) -> bool:
    return len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32


def _refuse_other_files(path: Path, head: bytes) -> None:
    for beginning, what in _NO_WEIGHTS:
        if beginning.match(head):
            raise CheckpointError(
                f"weights file {path} ({path.stat().st_size} bytes) is not a PyTorch file: it is {what}. Fetch the "
                "weights themselves"
            )


def why_refused(path: Path, error: BaseException) -> str:
    """Return in words why PyTorch's unpickler refused a file: its objects, or damage; and what to do."""
    objects = _objects(path, error)
    if not objects:
        scripted = "TorchScript" in str(error)
        what = "a TorchScript archive" if scripted else "truncated or not a PyTorch file"
        remedy = "save the network's state_dict in its place" if scripted else "fetch it again"
        return f"weights file {path} ({path.stat().st_size} bytes) is {what}; {remedy}"
    further = f" and {len(objects) - _SHOWN} more" if len(objects) > _SHOWN else ""
    remedy = (
        f"`kedro weights convert {path} {path.with_suffix('.safetensors').name}` takes out the tensors alone"
        if set(objects) <= set(HARMLESS)
        else "such objects can run code when they are read: in the program that made the file, save the network's "
        "state_dict() alone"
    )
    return (
        f"weights file {path} holds Python objects besides tensors: {', '.join(objects[:_SHOWN])}{further}. They are "
        f"not read; {remedy}"
    )


def _objects(path: Path, error: BaseException) -> list[str]:
    """Return the names of what a pickle holds besides tensors; nothing for a damaged file."""
    try:
        found = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except DAMAGE:  # the layout before PyTorch 1.6, or damage
        found = []
    named = _GLOBAL.search(str(error))
    return sorted({*found, *([named[1]] if named else [])})
