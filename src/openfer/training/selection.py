"""Which epochs' weights a run keeps."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from openfer.errors import TrainingError
from openfer.io.checkpoint import Checkpoint
from openfer.methods.contract import Method
from openfer.training.config import Selection
from openfer.training.stateful import State


@dataclass
class Kept:
    """The weights of the best epoch so far by one criterion.

    Attributes:
        score: mean accuracy over the tasks, or mean concordance of a method that regresses; -1 before the first epoch.
        epoch: its number in the run, counted from 1; 0 before the first.
        validation: the validation set's score of the same epoch; None if no validation sample is labelled.
        tensors: the method's own state, on the CPU.
    """

    score: float
    epoch: int
    validation: float | None
    tensors: dict[str, Tensor]


class Selector:
    """Keeps the best epochs, of equal ones the earlier; a :class:`Stateful` part of the run.

    Args:
        selections: those asked for; ``last`` needs no keeping.
    """

    def __init__(self, selections: tuple[Selection, ...]) -> None:
        self.kept: dict[str, Kept] = {name: Kept(-1.0, 0, 0.0, {}) for name in selections if name != "last"}

    def consider(self, method: Method, scores: Mapping[str, float | None], epoch: int) -> None:
        """Keep the method's present weights wherever they beat those kept.

        Args:
            method: after the epoch.
            scores: by split, ``val`` and perhaps ``oracle_test``; None without labels.
            epoch: its number in the run.

        Raises:
            TrainingError: if a score is not finite, which no later one could beat.
        """
        for name, kept in self.kept.items():
            split = "val" if name == "best_val" else name
            score = scores[split]
            if score is not None and not math.isfinite(score):
                raise TrainingError(
                    f"epoch {epoch} scores {score} on {split}, by which {name} is chosen: an answer is not finite "
                    "there; lower the learning rate, or train in float32 (training.precision)"
                )
            if score is not None and (score > kept.score or not kept.epoch):
                self.kept[name] = Kept(score, epoch, scores.get("val"), snapshot(method))

    def state(self) -> State:
        """Return all kept weights as ``<selection>/<name>``, and scores and epochs by selection."""
        tensors = {f"{name}/{key}": value for name, kept in self.kept.items() for key, value in kept.tensors.items()}
        return State(tensors, {name: [kept.score, kept.epoch, kept.validation] for name, kept in self.kept.items()})

    def restore(self, state: State) -> None:
        """Keep what :meth:`state` returned."""
        for name, (score, epoch, validation) in state.facts.items():
            own = {k.removeprefix(f"{name}/"): value for k, value in state.tensors.items() if k.startswith(f"{name}/")}
            self.kept[name] = Kept(score, epoch, validation, own)


class OwnWeights:
    """The state of a method as a :class:`Stateful` part of the run."""

    def __init__(self, method: Method) -> None:
        self._method = method

    def state(self) -> State:
        """Return the method's own state, without its prerequisites."""
        return State(self._method.own_state())

    def restore(self, state: State) -> None:
        """Load what :meth:`state` returned."""
        self._method.load_own_state(state.tensors)


def snapshot(method: Method) -> dict[str, Tensor]:
    """Return a copy of the method's own state on the CPU."""
    return {key: value.detach().to("cpu", copy=True).contiguous() for key, value in method.own_state().items()}


def checkpoints(
    selections: Sequence[Selection], kept: Mapping[str, Kept], facts: Mapping[str, Any]
) -> dict[str, Checkpoint]:
    """Return a checkpoint for each selection, the main one first.

    Args:
        selections: those asked for.
        kept: by selection, ``last`` among them.
        facts: shared by all checkpoints.
    """
    found: dict[str, Checkpoint] = {}
    for name in selections:
        own, oracle = kept[name], name == "oracle_test"
        about: dict[str, Any] = {"selection": name, "main_selection": name == selections[0], "oracle": oracle}
        about |= {"epochs": kept["last"].epoch, "epoch": own.epoch, "validation": own.validation}
        found[name] = Checkpoint(own.tensors, {**facts, **about} | ({name: own.score} if oracle else {}))
    return found
