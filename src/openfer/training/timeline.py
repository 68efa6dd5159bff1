"""Where a run is, and how its stages, epochs and steps are numbered."""

from collections.abc import Iterator, Mapping, Sequence

from openfer.methods.contract import Stage
from openfer.training.batches import steps_per_epoch
from openfer.training.sampling import Sampler
from openfer.training.stateful import State


class Timeline:
    """The stages of a run and what comes next; a :class:`Stateful` part of the run.

    Attributes:
        stages: of the method.
        stage: number of the stage that comes next, from 0; the number of stages at the end of the run.
        epoch: number in the stage of the epoch that comes next, from 0.
        step: number in the epoch of the step that comes next, from 0.

    Args:
        stages: of the method.
        samplers: by stage.
    """

    def __init__(self, stages: Sequence[Stage], samplers: Mapping[str, Sampler]) -> None:
        self.stages = tuple(stages)
        self._shown = {name: len(sampler) for name, sampler in samplers.items()}
        self.stage = self.epoch = self.step = 0

    @property
    def epochs(self) -> int:
        """Return the number of epochs of the run."""
        return sum(stage.schedule.epochs for stage in self.stages)

    def images(self, stage: Stage) -> int:
        """Return the number of images that an epoch trains on."""
        return min(self._shown[stage.name], self.steps(stage) * stage.schedule.batch_size)

    def steps(self, stage: Stage) -> int:
        """Return the number of steps of an epoch."""
        return steps_per_epoch(self._shown[stage.name], stage.schedule.batch_size)

    def number(self, stage: Stage, epoch: int) -> int:
        """Return an epoch's number in the run, from 1."""
        earlier = self.stages[: self.stages.index(stage)]
        return sum(other.schedule.epochs for other in earlier) + epoch + 1

    def follows_best(self, stage: Stage) -> bool:
        """Return whether the stage after this one starts from this one's best epoch."""
        later = self.stages[self.stages.index(stage) + 1 :]
        return bool(later) and later[0].starts_from == "best_val"

    def finished(self) -> Iterator[tuple[Stage, int]]:
        """Yield the epochs that the run has behind it, each as its stage and its number in it."""
        for number, stage in enumerate(self.stages[: self.stage + 1]):
            for epoch in range(stage.schedule.epochs if number < self.stage else self.epoch):
                yield stage, epoch

    def end_epoch(self, stage: Stage, epoch: int) -> bool:
        """Move on to the next epoch, and return whether it is in another stage."""
        ends = epoch + 1 == stage.schedule.epochs
        self.stage += ends
        self.epoch, self.step = 0 if ends else epoch + 1, 0
        return ends

    def describe(self) -> str:
        """Return what comes next in words."""
        stage = self.stages[self.stage]
        epochs, steps = stage.schedule.epochs, self.steps(stage)
        return f"stage {stage.name}, epoch {self.epoch + 1} of {epochs}, step {self.step + 1} of {steps}"

    def state(self) -> State:
        """Return the position."""
        return State(facts={"stage": self.stage, "epoch": self.epoch, "step": self.step})

    def restore(self, state: State) -> None:
        """Return to the position that :meth:`state` returned."""
        self.stage, self.epoch, self.step = (state.facts[name] for name in ("stage", "epoch", "step"))
