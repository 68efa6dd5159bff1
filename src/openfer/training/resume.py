"""The file by which a killed run continues: everything that a step depends on, written atomically."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from openfer.errors import CheckpointError
from openfer.io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

_FILE = "resume.safetensors"
_KIND = "openfer training run"


@dataclass
class Position:
    """Where a run stands: what comes next.

    Attributes:
        stage: number of the stage, from 0.
        epoch: number of the epoch in the stage, from 0.
        step: number of the step in the epoch, from 0.
        seconds: time already spent in this epoch.
        joules: what was counted of its energy (:class:`openfer.training.energy.EnergyMeter`).
        ledger: sums of the losses of this epoch so far.
    """

    stage: int = 0
    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    joules: dict[str, float] = field(default_factory=dict)
    ledger: dict[str, Any] = field(default_factory=dict)


class ResumeFile:
    """Saves and loads the state of one run in a folder.

    Args:
        work: the folder; it belongs to this run.
        recipe: everything that decides the outcome, JSON-serialisable; a file of another recipe is
            refused.
    """

    def __init__(self, work: Path, recipe: Mapping[str, Any]) -> None:
        self.path = work / _FILE
        self._recipe = json.loads(json.dumps(recipe))

    def save(self, position: Position, tensors: Mapping[str, Mapping[str, Tensor]], facts: Mapping[str, Any]) -> None:
        """Write the state; the earlier one stays until this one is whole.

        Args:
            position: what comes next.
            tensors: by owner, then by name.
            facts: by owner.

        Raises:
            StorageError: if the disk is full; the earlier file is intact.
        """
        flat = {f"{owner}/{name}": value for owner, own in tensors.items() for name, value in own.items()}
        head = {"kind": _KIND, "recipe": self._recipe, "position": vars(position), "threads": torch.get_num_threads()}
        save_checkpoint(self.path, Checkpoint(flat, {**head, "state": dict(facts)}))

    def load(self) -> tuple[Position, dict[str, dict[str, Tensor]], dict[str, Any], int] | None:
        """Read the state back, with the number of threads that made it; None where there is none yet.

        Raises:
            CheckpointError: if the file is truncated, is something else, or belongs to another recipe.
        """
        if not self.path.exists():
            return None
        checkpoint = load_checkpoint(self.path)
        facts = checkpoint.facts
        if facts.get("kind") != _KIND:
            raise CheckpointError(
                f"{self.path} is not the state of a training run, though it has its name; move it away and run the "
                "same command again to start this run from the beginning"
            )
        differing = _differences(facts["recipe"], self._recipe)
        if differing:
            raise CheckpointError(
                f"{self.path} belongs to a run with another recipe: {'; '.join(differing[:5])}. Run with the earlier "
                f"settings to continue it, or delete {self.path} to start anew"
            )
        tensors: dict[str, dict[str, Tensor]] = {}
        for name, value in checkpoint.tensors.items():
            owner, _, key = name.partition("/")
            tensors.setdefault(owner, {})[key] = value
        return Position(**facts["position"]), tensors, facts["state"], facts["threads"]


def _differences(there: Any, here: Any, name: str = "") -> list[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        keys = sorted(there.keys() | here.keys())
        return [text for key in keys for text in _differences(there.get(key), here.get(key), f"{name}.{key}")]
    return [] if there == here else [f"{name.lstrip('.')} was {there!r}, is {here!r}"]
