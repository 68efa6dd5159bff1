"""The file by which an interrupted run resumes: the state of every part of the run, written atomically."""

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from openfer.errors import CheckpointError
from openfer.io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from openfer.training import ranks
from openfer.training.stateful import State, Stateful

_log = logging.getLogger(__name__)

_FILE = "resume.safetensors"
_KIND = "openfer training run"


class ResumeFile:
    """Saves the parts of one run in a folder, and restores them in a later process.

    Parts come and go: those of the run are added once, those of a stage or an epoch when it begins. A part that the
    file holds is restored when it is added. :meth:`save` writes the parts that are there.

    Args:
        work: the folder; it belongs to this run.
        recipe: everything that decides the outcome, JSON-serialisable.
        minutes: time between two saves within an epoch.
        processors: devices and CPU threads of each, in words; a change of them is logged.

    Attributes:
        found: whether there is a file of an earlier process.

    Raises:
        CheckpointError: if the file is truncated, is something else, or belongs to another recipe.
    """

    def __init__(self, work: Path, recipe: Mapping[str, Any], minutes: float, processors: str) -> None:
        self.path = work / _FILE
        self._recipe = json.loads(json.dumps(recipe))
        self._seconds = minutes * 60
        self._processors = processors
        self._saved_at = time.monotonic()
        self._parts: dict[str, Stateful] = {}
        self.found = self.path.exists()
        self._loaded = self._load() if self.found else {}

    @property
    def is_due(self) -> bool:
        """Whether the last save is so long ago that the next one is due."""
        return ranks.is_first() and time.monotonic() - self._saved_at >= self._seconds

    def add(self, **parts: Stateful) -> None:
        """Add parts by name, each restored if the file holds it and it was not restored before."""
        for name, part in parts.items():
            if name in self._loaded:
                part.restore(self._loaded.pop(name))
        self._parts |= parts

    def remove(self, *names: str) -> None:
        """Remove parts, such as those of a stage that has ended."""
        for name in names:
            del self._parts[name]

    def save(self) -> None:
        """Write the state of all parts; the earlier file stays until this one is complete.

        Of several processes that train together, which all have the same state, the first one writes.

        Raises:
            StorageError: if the disk is full; the earlier file is intact.
        """
        if not ranks.is_first():
            return
        states = {name: part.state() for name, part in self._parts.items()}
        tensors = {f"{owner}/{name}": value for owner, own in states.items() for name, value in own.tensors.items()}
        facts = {owner: own.facts for owner, own in states.items()}
        head = {"kind": _KIND, "recipe": self._recipe, "processors": self._processors}
        save_checkpoint(self.path, Checkpoint(tensors, {**head, "state": facts}))
        self._saved_at = time.monotonic()

    def _load(self) -> dict[str, State]:
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
                f"settings to continue it, or delete {self.path} to start again"
            )
        begun = facts.get("processors", "other CPU threads")
        if begun != self._processors:
            _log.warning(
                "%s was begun with %s and resumes with %s: equal up to rounding, not bit by bit",
                self.path, begun, self._processors,
            )  # fmt: skip
        tensors: dict[str, dict[str, Tensor]] = {owner: {} for owner in facts["state"]}
        for name, value in checkpoint.tensors.items():
            owner, _, key = name.partition("/")
            tensors[owner][key] = value
        return {owner: State(own, facts["state"][owner]) for owner, own in tensors.items()}


def _differences(there: Any, here: Any, name: str = "") -> list[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        keys = sorted(there.keys() | here.keys())
        return [text for key in keys for text in _differences(there.get(key), here.get(key), f"{name}.{key}")]
    return [] if there == here else [f"{name.lstrip('.')} was {there!r}, is {here!r}"]
