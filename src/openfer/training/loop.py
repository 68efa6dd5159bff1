"""The one loop that trains every method; it knows players and stages, and no method by name.

The same seed, data and settings give the same bytes on the same CPU with the same number of threads, at any number of
workers and however often the run was interrupted: the order of an epoch and the augmentation of a sample are drawn
from their names (:mod:`openfer.seeds`), torch is seeded again for every step, and the resume file holds all else that a
step reads. On a GPU the same holds up to the rounding of its non-deterministic kernels.

On several devices a process for each of them executes this loop (:mod:`openfer.training.ranks`); the first one writes.
"""

import logging
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from openfer.io.checkpoint import Checkpoint
from openfer.methods.contract import Batch, Losses, Method, Stage, WatchBounds
from openfer.seeds import seed_for
from openfer.training import ranks
from openfer.training.averaging import WeightAverage
from openfer.training.batches import Loader, training_batches
from openfer.training.buffers import unchanged_buffers
from openfer.training.collapse import warn_of_collapse
from openfer.training.config import TrainingConfig
from openfer.training.device import compile_networks, eager, forget_compiled, place
from openfer.training.energy import EnergyMeter
from openfer.training.gradient_share import gradient_shares
from openfer.training.history import History
from openfer.training.launch import Launch, together
from openfer.training.loss_means import LossMeans
from openfer.training.masking import Mask
from openfer.training.optimisers import Optimisers
from openfer.training.progress import StageBar
from openfer.training.resume import ResumeFile
from openfer.training.selection import Kept, OwnWeights, Selector, checkpoints, snapshot
from openfer.training.setup import FitData as FitData
from openfer.training.setup import Setup
from openfer.training.sharding import shard_networks
from openfer.training.soft_labels import with_soft_labels
from openfer.training.tracking import Tracker
from openfer.training.validation import Validation
from openfer.training.weighting import weighted

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fitted:
    """The result of a finished run.

    Attributes:
        states: by selection, the main one first.
        history: one figure a row: stage, epoch (in the stage, from 1), split (train, val,
            oracle_test), name, value.
        masked: the masked samples by epoch, as :meth:`Mask.table` returns them; None without a mask.
    """

    states: dict[str, Checkpoint]
    history: pd.DataFrame
    masked: pd.DataFrame | None = None


def fit(
    method: Method,
    data: FitData,
    config: TrainingConfig,
    seed: int,
    work: Path,
    tracker: Tracker | None = None,
    label: str | None = None,
    mask: Mask | None = None,
) -> Fitted:
    """Train a method through all its stages, or resume where an earlier call was interrupted.

    Args:
        method: with its initial weights and its prerequisites; it is trained in place.
        data: training, validation and test sets.
        config: how to run and what to keep.
        seed: of order, augmentation, dropout and permutations.
        work: folder of the resume file. It stays after the end, so that a result which could not be
            stored is not lost; the caller removes it once the result is safe.
        tracker: receives the figures of every epoch.
        label: first word of bars, log lines and metric names; the method's name by default.
        mask: drops samples of a batch from the loss; its settings are those of the config.

    Raises:
        DataError: if the data cannot serve, or an image is damaged.
        ParameterError: if the device or a selection is not there, or the method does not read weights of samples.
        TrainingError: if a player's loss is not finite, or the process of one of several devices was killed.
        CheckpointError: if the resume file is damaged or of another run.
        StorageError: if the disk is full.
    """
    setup = Setup(method, data, config, seed, label or method.name, mask)
    plan = setup.plan
    if plan.devices == 1:
        return _Run(setup, work, tracker).run()
    backend = "nccl" if plan.device.type == "cuda" else "gloo"
    together(Launch(setup.label, plan.devices, setup.threads, backend), _train, (setup, work), tracker)
    return _Run(setup, work, None).fitted()  # the last checkpoint has all that they have


def _train(setup: Setup, work: Path, tracker: Tracker | None) -> None:
    """Train as one of several processes."""
    _Run(setup, work, tracker).run()


class _Run:
    """One call of :func:`fit`."""

    def __init__(self, setup: Setup, work: Path, tracker: Tracker | None) -> None:
        self._setup, self._tracker = setup, tracker
        self._method, self._plan, self._timeline = setup.method, setup.plan, setup.timeline
        place(self._method, self._plan)
        shard_networks(self._method)
        if setup.mask is not None:
            setup.mask.begin(self._plan, self._timeline.epochs, len(setup.data.train))
        self._loader = Loader(setup.data.train, self._plan)
        self._history = History()
        chooses = (setup.config.selected_by, setup.config.average_mirrored)
        self._validation = Validation(self._method, setup.watched, self._plan, self._history, *chooses)
        self._selector = Selector(setup.config.selections)
        self._meter = EnergyMeter(self._plan.device, self._plan.devices)
        processors = f"{self._plan.devices} x {setup.threads} CPU threads"
        self._file = ResumeFile(work, setup.recipe, setup.config.checkpoint_minutes, processors)
        self._file.add(timeline=self._timeline, method=OwnWeights(self._method), history=self._history)
        self._file.add(kept=self._selector, **({"mask": setup.mask} if setup.mask is not None else {}))

    def run(self) -> Fitted:
        """Train the stages that are left."""
        self._announce()
        if self._plan.compile:
            compile_networks(self._method)
        for stage in self._timeline.stages[self._timeline.stage :]:
            self._train_stage(stage)
        return self.fitted()

    def _train_stage(self, stage: Stage) -> None:
        if self._plan.compile:
            forget_compiled()
        timeline = self._timeline
        optimisers = Optimisers(stage, self._plan)
        average = WeightAverage(self._method, stage.schedule.average_decay)
        best = Selector(("best_val",) if timeline.follows_best(stage) else ())
        self._file.add(optimisers=optimisers, average=average, best_of_stage=best)
        with StageBar(self._setup.label, stage, timeline) as bar:
            for epoch in range(timeline.epoch, stage.schedule.epochs):
                bar.epoch(epoch)
                self._train_epoch(stage, epoch, optimisers, average, bar)
                with average.applied():
                    bar.show(**self._validate(stage, epoch, best))
                if timeline.end_epoch(stage, epoch):
                    self._file.remove("optimisers", "average", "best_of_stage")
                    average.apply()
                    if timeline.follows_best(stage):
                        self._method.load_own_state(best.kept["best_val"].tensors)
                self._file.save()
                self._report(stage, epoch)

    def _train_epoch(
        self, stage: Stage, epoch: int, optimisers: Optimisers, average: WeightAverage, bar: StageBar
    ) -> None:
        rates = optimisers.set_epoch(epoch)
        where = f"stage {stage.name}, epoch {epoch + 1} of {stage.schedule.epochs}"
        losses = LossMeans(where, rates)
        self._meter.begin()
        self._file.add(losses=losses, meter=self._meter)
        ranks.align(self._method.own_state().values())
        self._method.on_epoch_start(stage, epoch)
        self._method.train()
        self._train_steps(stage, epoch, optimisers, average, losses, bar)
        losses.read()
        self._file.remove("losses", "meter")
        means = losses.means()
        warn_of_collapse(f"{self._setup.label}, {where}", self._bounds(stage), means, self._history.rows)
        figures = means | {f"learning_rate/{player}": rate for player, rate in rates.items()}
        self._history.note(stage.name, epoch, "train", figures | self._meter.figures(self._timeline.images(stage)))

    def _train_steps(
        self, stage: Stage, epoch: int, optimisers: Optimisers, average: WeightAverage, means: LossMeans, bar: StageBar
    ) -> None:
        setup, first = self._setup, self._timeline.step
        keys = training_batches(setup.samplers[stage.name], stage.schedule.batch_size, epoch, first)
        compared, middle = setup.method.shared_parameters(), self._timeline.steps(stage) // 2
        for step, batch in enumerate(self._loader.batches(keys), first):
            torch.manual_seed(seed_for(setup.seed, "step", stage.name, epoch, step))
            batch, watched = weighted(setup, stage, epoch, batch, keys[step - first])
            batch = with_soft_labels(setup, stage, batch, keys[step - first])
            losses = self._losses(batch, stage)
            losses[stage.players[0].name] |= watched
            if step == middle:
                losses[stage.players[0].name] |= gradient_shares(losses[stage.players[0].name], compared)
            means.note(step, losses, len(batch.images))
            if means.unread >= optimisers.check_every:
                means.read()
                self._meter.count()
                bar.show(loss=means.latest)
            again = partial(self._losses_again, batch, stage, step, means, optimisers.check_every)
            # a second pass over the batch leaves the statistics of batch normalisation to the first
            with unchanged_buffers(self._method) if stage.schedule.sam_radius else nullcontext():
                optimisers.step(losses, epoch * self._timeline.steps(stage) + step, epoch, again)
            del losses  # they hold the graph, and the next step would build its own beside it
            average.update()
            bar.step()
            self._timeline.step = step + 1
            if self._file.is_due:
                self._file.save()

    def _bounds(self, stage: Stage) -> dict[str, WatchBounds]:
        mask, first = self._setup.mask, stage.players[0].name
        own = {} if mask is None else mask.watch_bounds
        return {**self._method.watch_bounds, **{f"{first}/{name}": bounds for name, bounds in own.items()}}

    def _losses(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        full = len(batch.images) == stage.schedule.batch_size
        with self._plan.autocast(), nullcontext() if full else eager():
            return self._method.step(batch, stage)

    def _losses_again(
        self, batch: Batch, stage: Stage, step: int, means: LossMeans, check_every: int
    ) -> dict[str, Losses]:
        """Compute the losses of a batch at other weights; they are checked, and do not count in the means."""
        losses = self._losses(batch, stage)
        means.note(step, losses, size=0)
        if means.unread >= check_every:
            means.read()
        return losses

    def _validate(self, stage: Stage, epoch: int, best: Selector) -> dict[str, float]:
        """Score the epoch, and let it compete: for the start of the next stage and, in the last stage, for the run."""
        scores, number = self._validation.score(stage, epoch), self._timeline.number(stage, epoch)
        best.consider(self._method, scores, number)
        if stage is self._timeline.stages[-1]:  # before, the method is not complete
            self._selector.consider(self._method, scores, number)
        return {f"{split}_{self._validation.kind}": score for split, score in scores.items() if score is not None}

    def fitted(self) -> Fitted:
        """Return the result of a run that is at its end."""
        setup, stage = self._setup, self._timeline.stages[-1]
        score = self._history.mean(stage.name, stage.schedule.epochs - 1, "val", self._validation.kind)
        last = Kept(-1.0, self._timeline.epochs, score, snapshot(self._method))
        states = checkpoints(
            setup.config.selections,
            self._selector.kept | {"last": last},
            {**setup.facts, "devices": self._plan.devices},
        )
        masked = None if setup.mask is None else setup.mask.table(setup.data.train.sample_ids)
        return Fitted(states, self._history.table(), masked)

    def _announce(self) -> None:
        """Say where the run starts, and report the epochs of an earlier process again."""
        at_end = self._timeline.stage == len(self._timeline.stages)
        if self._file.found:
            where = "was trained to its end before" if at_end else f"continues at {self._timeline.describe()}"
            _log.info("%s %s", self._setup.label, where)
        for stage, epoch in self._timeline.finished():
            self._report(stage, epoch)
        if not at_end:
            _log.info("%s trains on %s", self._setup.label, self._plan.describe())

    def _report(self, stage: Stage, epoch: int) -> None:
        if self._tracker is not None:
            values = self._history.values(stage.name, epoch)
            self._tracker.epoch(self._setup.label, stage.name, self._timeline.number(stage, epoch), values)
