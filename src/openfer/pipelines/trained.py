"""A trained run, loaded: its checkpoint, its method, its datasets. The one way from models to predictions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openfer.io.checkpoint import Checkpoint
from openfer.pipelines.sources import Source, Sources, faces_for, sources_of, tested_role
from openfer.runs.settings import RunSettings

if TYPE_CHECKING:
    from openfer.methods.contract import Classes, Method
    from openfer.training.data import ConcatFaces

Models = Mapping[str, Callable[[], Checkpoint]]
"""The checkpoints of a run by selection, loaded when called."""


@dataclass(frozen=True)
class Trained:
    """A trained run with the data that it is looked at on.

    Attributes:
        run: its settings.
        checkpoint: of its main selection, or the one asked for.
        method: with the weights of the checkpoint, in evaluation mode.
        data: its datasets, in its fold.
    """

    run: RunSettings
    checkpoint: Checkpoint
    method: "Method"
    data: list[Source]

    @property
    def role(self) -> str:
        """The tested role: ``test``, or ``val`` where no dataset has test faces."""
        return tested_role(self.data)

    @property
    def names(self) -> dict[str, Any]:
        """Return what identifies the run in tables: method, variant, selection, seed."""
        return {
            "method": self.run.method,
            "variant": self.run.row,
            "selection": self.checkpoint.facts["selection"],
            "seed": self.run.seed,
        }

    def faces(
        self, role: str | None = None, shown: Sequence[Source] | None = None, classes: "Classes | None" = None
    ) -> "ConcatFaces":
        """Return centre crops.

        Args:
            role: train, val or test; the tested role by default.
            shown: the sources to take them from; all by default.
            classes: by task; those of the method by default.
        """
        run, known = self.run, self.method.classes if classes is None else classes
        targets = run.declared.regression_targets if classes is None else ()
        data = self.data if shown is None else shown
        return faces_for(data, role or self.role, known, run.images, run.seed, regression_targets=targets)


def load_trained(run: RunSettings, models: Models, sources: Sources) -> Trained:
    """Return the main selection of a run, ready to predict.

    Args:
        run: its settings.
        models: its checkpoints by selection.
        sources: its datasets by name.

    Raises:
        CheckpointError: if the checkpoint does not fit the settings.
        DataError: if a dataset has no such fold.
    """
    checkpoint = main_model(models)
    return Trained(run, checkpoint, restore(run, checkpoint), sources_of(run, sources))


def main_model(models: Models) -> Checkpoint:
    """Return the checkpoint of a run's main selection; those after it are not loaded."""
    checkpoints = (load() for load in models.values())
    return next(checkpoint for checkpoint in checkpoints if checkpoint.facts["main_selection"])


def restore(run: RunSettings, checkpoint: Checkpoint) -> "Method":
    """Build a trained method for prediction."""
    from openfer.methods.registry import build
    from openfer.nn.undrawn import Undrawn

    with Undrawn():
        method = build(run.method, run.settings, {k: tuple(v) for k, v in checkpoint.facts["classes"].items()})
    method.load_own_state(checkpoint.tensors)
    return method.eval()
