"""Loading pretrained weights into a backbone, with a report of what matched."""

import logging
import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from openfer.errors import CheckpointError
from openfer.io.atomic import sha256_of
from openfer.io.checkpoint import check_sha256, load_checkpoint
from openfer.nn.initialisation_settings import InitialisationSettings

_log = logging.getLogger(__name__)

_PREFIXES = ("module.", "backbone.", "encoder.", "shared.", "trunk.")
_CLASSIFIER = "fc."
_NESTS = ("state_dict", "model_state_dict", "model", "net", "backbone", "encoder")
_SHOWN = 5
_DAMAGE = (
    pickle.UnpicklingError, struct.error, RuntimeError, OSError, EOFError,
    LookupError, ValueError, TypeError, AttributeError, AssertionError,
)  # fmt: skip
"""What the unpickler raises for bytes that are no pickle."""


@dataclass(frozen=True)
class MatchReport:
    """What a weights file filled of a backbone.

    Attributes:
        source: the file, or ``none``.
        sha256: its hash; None without a file.
        matched: number of the backbone's tensors that it filled.
        total: number of the backbone's tensors.
        unmatched: tensors of the backbone that kept their random values.
        unexpected: tensors of the file that the backbone has no place for.
    """

    source: str
    sha256: str | None
    matched: int
    total: int
    unmatched: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return one line for logs, reports and model cards."""
        if self.sha256 is None:
            return "random weights"
        return f"{self.matched} of {self.total} tensors from {Path(self.source).name} (SHA-256 {self.sha256})"


def initialise(backbone: nn.Module, settings: InitialisationSettings) -> MatchReport:
    """Fill a backbone from a weights file; ``none`` leaves its random weights.

    Prefixes such as ``module.`` and nested dicts such as ``{"state_dict": ...}`` are understood,
    and a classifier ``fc`` is passed over. A tensor of another shape does not match. Counters of
    batches that old files lack (``num_batches_tracked``) are neither required nor counted.

    Args:
        backbone: such as :class:`openfer.nn.resnet.ResNet18Trunk`; its keys are torchvision's.
        settings: which file, and how much of it must fit.

    Returns:
        What matched; a backbone that is filled in part is warned of, with the tensors that were not.

    Raises:
        CheckpointError: if the file is missing, damaged, holds more than tensors, has another hash
            or matches too little; the backbone is then unchanged.
    """
    own = {name: value for name, value in backbone.state_dict().items() if not name.endswith("num_batches_tracked")}
    if settings.backbone == "none":
        return MatchReport("none", None, 0, len(own), tuple(own))
    path = Path(settings.backbone)
    given = {_plain(name): tensor for name, tensor in _read(path, settings.sha256).items()}
    matching = {name: given[name] for name, value in own.items() if name in given and given[name].shape == value.shape}
    unmatched = tuple(name for name in own if name not in matching)
    unexpected = tuple(name for name in given if name not in backbone.state_dict() and not name.startswith(_CLASSIFIER))
    if len(matching) < settings.minimum_match * len(own):
        raise CheckpointError(
            f"{path} fills {len(matching)} of {len(own)} tensors of the backbone "
            f"({len(matching) / len(own):.0%}, at least {settings.minimum_match:.0%} asked for); not in it or of "
            f"another shape: {', '.join(unmatched[:_SHOWN])}; in it and not understood: "
            f"{', '.join(unexpected[:_SHOWN]) or 'none'}. Give weights of the network that the "
            "method has (most have a ResNet-18, OADN a ResNet-50), or lower minimum_match"
        )
    if unmatched:
        _log.warning(
            "%s fills %d of %d tensors of the backbone; these keep their random values: %s",
            path, len(matching), len(own), ", ".join(unmatched),
        )  # fmt: skip
    with torch.no_grad():
        for name, tensor in matching.items():
            own[name].copy_(tensor)
    return MatchReport(str(path), sha256_of(path), len(matching), len(own), unmatched, unexpected)


def _read(path: Path, sha256: str | None) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return load_checkpoint(path, sha256).tensors
    if not path.is_file():
        raise CheckpointError(f"weights file {path} does not exist; give an existing path, or backbone: none")
    check_sha256(path, sha256)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        raise CheckpointError(
            f"weights file {path} ({path.stat().st_size} bytes) is truncated, not a PyTorch file, or holds Python "
            f"objects besides tensors: {_first_line(error)}; fetch it again, or save its state_dict alone"
        ) from error
    return _tensors(content, path)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _tensors(content: Any, path: Path) -> dict[str, Tensor]:
    """Find the state dict in what a file held, however it was wrapped."""
    for nest in _NESTS:
        if isinstance(content, Mapping) and isinstance(content.get(nest), Mapping):
            return _tensors(content[nest], path)
    tensors = (
        {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
        if isinstance(content, Mapping)
        else {}
    )
    if not tensors:
        raise CheckpointError(f"weights file {path} holds no tensors by name; save a network's state_dict in it")
    return tensors


def _plain(name: str) -> str:
    """Remove wrappers' prefixes, however many."""
    while prefix := next((prefix for prefix in _PREFIXES if name.startswith(prefix)), ""):
        name = name.removeprefix(prefix)
    return name
