"""The scores of a method after every epoch, on the sets that select epochs."""

from collections.abc import Mapping
from dataclasses import replace

from openfer.methods.contract import Method, Stage
from openfer.training.batches import Loader
from openfer.training.data import Faces
from openfer.training.device import Plan
from openfer.training.history import History
from openfer.training.predict import scores

_WORKERS = 2
"""Workers live as long as the run; those of a watched set work once an epoch, on centre crops alone."""


class Validation:
    """Scores a method on watched sets.

    Attributes:
        kind: of the score that selects epochs: ``ccc`` for a method that regresses, else ``selected_by``.

    Args:
        method: it is scored with the weights that it has at the time.
        sets: by split.
        plan: device and arithmetic.
        history: it takes all figures.
        selected_by: ``accuracy`` or ``balanced_accuracy``, of a method that classifies.
        mirrored: whether predictions are means over a face and its mirror image.
    """

    def __init__(
        self,
        method: Method,
        sets: Mapping[str, Faces],
        plan: Plan,
        history: History,
        selected_by: str = "accuracy",
        mirrored: bool = False,
    ) -> None:
        plan = replace(plan, workers=min(plan.workers, _WORKERS))
        self._method, self._plan, self._history = method, plan, history
        self._sets = {split: (Loader(faces, plan), faces) for split, faces in sets.items()}
        self.kind = "ccc" if method.declared.regression_targets else selected_by
        self._kinds, self._mirrored = dict.fromkeys(("accuracy", selected_by)), mirrored

    def score(self, stage: Stage, epoch: int) -> dict[str, float | None]:
        """Note the figures of an epoch, and return by split the score that selects epochs; None without labels."""
        for split, (loader, faces) in self._sets.items():
            self._history.note(stage.name, epoch, split, self._scores(loader, faces))
        return {split: self._history.mean(stage.name, epoch, split, self.kind) for split in self._sets}

    def _scores(self, loader: Loader, faces: Faces) -> dict[str, float]:
        return scores(self._method, loader, faces, self._plan, self._kinds, self._mirrored)
