"""Which epochs' weights a run keeps."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from openfer.errors import TrainingError
from openfer.methods.contract import Method
from openfer.training.config import Selection


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
    """Keeps the best epochs; a tie keeps the earlier one.

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
                self.kept[name] = Kept(score, epoch, scores["val"], snapshot(method))

    def tensors(self) -> dict[str, Tensor]:
        """Return all kept weights as ``<selection>/<name>``."""
        return {f"{name}/{key}": value for name, kept in self.kept.items() for key, value in kept.tensors.items()}

    def facts(self) -> dict[str, Any]:
        """Return scores and epochs by selection."""
        return {name: [kept.score, kept.epoch, kept.validation] for name, kept in self.kept.items()}

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Take back what :meth:`tensors` and :meth:`facts` gave."""
        for name, (score, epoch, validation) in facts.items():
            own = {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}
            self.kept[name] = Kept(score, epoch, validation, own)


def snapshot(method: Method) -> dict[str, Tensor]:
    """Return a copy of the method's own state on the CPU."""
    return {key: value.detach().to("cpu", copy=True).contiguous() for key, value in method.own_state().items()}
