"""The one loop that trains every method; it knows players and stages, and no method by name.

The same seed, data and settings give the same bytes on the same CPU with the same number of threads,
at any number of workers and however often the run was killed and started again: the order of an epoch
and the augmentation of a sample are drawn from their names (:mod:`openfer.seeds`), torch is seeded
anew for every step, and the resume file holds all else that a step reads. On a GPU the same holds up to
the rounding of its non-deterministic kernels.
"""

import logging
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from openfer.io.checkpoint import Checkpoint
from openfer.methods.contract import MISSING, Batch, Losses, Method, Stage
from openfer.seeds import seed_for
from openfer.training.batches import Loader, steps_per_epoch, training_batches
from openfer.training.checks import check_data, check_rated, check_weights
from openfer.training.collapse import warn_of_collapse
from openfer.training.config import Selection, TrainingConfig
from openfer.training.data import Faces, Key
from openfer.training.device import compile_networks, eager, forget_compiled, place, resolve
from openfer.training.energy import EnergyMeter
from openfer.training.history import History
from openfer.training.ledger import Ledger
from openfer.training.masking import Mask
from openfer.training.optimisers import Optimisers
from openfer.training.predict import scores
from openfer.training.progress import StageBar
from openfer.training.recipe import facts_of, recipe_of
from openfer.training.resume import Position, ResumeFile
from openfer.training.sampling import Sampler
from openfer.training.selection import Selector, snapshot
from openfer.training.tracking import Tracker

_log = logging.getLogger(__name__)

_WATCHING_WORKERS = 2
"""Workers live as long as the run, and those of a watched set work once an epoch, on centre crops alone."""


@dataclass(frozen=True)
class FitData:
    """The sets of one run.

    Attributes:
        train: augmented.
        validation: centre crops; never trained on.
        test: centre crops; read only if ``oracle_test`` is among the selections.
    """

    train: Faces
    validation: Faces
    test: Faces | None = None


@dataclass(frozen=True)
class Fitted:
    """What a finished run gives.

    Attributes:
        states: by selection, the main one first.
        history: one figure a row: stage, epoch (in the stage, from 1), split (train, val,
            oracle_test), name, value.
        masked: who was masked when, as :meth:`Mask.table` says; None without a mask.
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
    """Train a method through all its stages, or go on where an earlier call was interrupted.

    Args:
        method: with its initial weights and its prerequisites; it is trained in place.
        data: who trains, who selects.
        config: how to run and what to keep.
        seed: of order, augmentation, dropout and permutations.
        work: folder of the resume file. It stays after the end, so that a result which could not be
            stored is not lost; the caller removes it once the result is safe.
        tracker: told of every epoch.
        label: first word of bars, log lines and metric names; the method's name by default.
        mask: who is left out of a batch's loss; its settings are those of the config.

    Raises:
        DataError: if the data cannot serve, or an image is damaged.
        ParameterError: if the device or a selection asked for is not there, or a mask that the method does not obey.
        TrainingError: if a player's loss is not finite.
        CheckpointError: if the resume file is damaged or of another run.
        StorageError: if the disk is full.
    """
    return _Run(method, data, config, seed, work, tracker, label or method.name, mask).run()


class _Run:
    """One call of :func:`fit`."""

    def __init__(
        self,
        method: Method,
        data: FitData,
        config: TrainingConfig,
        seed: int,
        work: Path,
        tracker: Tracker | None,
        label: str,
        mask: Mask | None,
    ) -> None:
        self._method, self._data, self._config, self._seed = method, data, config, seed
        self._tracker, self._label, self._mask = tracker, label, mask
        self._stages = tuple(method.stages())
        chosen: tuple[Selection, ...] = tuple("best_val" for stage in self._stages if stage.starts_from == "best_val")
        asked = (*config.selections, *chosen[:1])
        check_data(data.train, data.validation, data.test, method.classes, asked, method.declared.regression_targets)
        tasks = [data.train.labels[task] for task in method.classes]
        labels = tasks[0] if tasks else np.full(len(data.train), MISSING)
        check_rated(data.train, self._stages, labels)
        self._samplers = {
            stage.name: Sampler(stage.schedule.sampling, labels, seed, stage.name, stage.schedule.batch_size)
            for stage in self._stages
        }
        check_weights(method, mask is not None, [sampler.weights is not None for sampler in self._samplers.values()])
        self._plan = resolve(config, sum(self._steps(stage) * stage.schedule.epochs for stage in self._stages))
        watched = {"val": data.validation} if method.classes or method.declared.regression_targets else {}
        if "oracle_test" in config.selections and data.test is not None:
            watched["oracle_test"] = data.test
            _log.warning("%s looks at the test set after every epoch: its oracle_test is an oracle's number", label)
        sets = {"train": data.train, **watched}
        self._facts = facts_of(method, data.train.images, seed, self._plan, mask)
        self._file = ResumeFile(work, recipe_of(method, self._facts, self._stages, sets, config.selections))
        watching = replace(self._plan, workers=min(self._plan.workers, _WATCHING_WORKERS))
        self._watched = {split: (Loader(faces, watching), faces) for split, faces in watched.items()}
        self._loader = Loader(data.train, self._plan)
        self._criterion = "ccc" if method.declared.regression_targets else "accuracy"
        self._selector = Selector(config.selections)
        self._best_of_stage = Selector(("best_val",))
        self._meter = EnergyMeter(self._plan.device)
        self._history = History()
        self._position = Position()
        self._optimiser_state: tuple[Mapping[str, torch.Tensor], Mapping[str, Any]] | None = None
        self._saved_at = time.monotonic()
        place(method, self._plan)
        if mask is not None:
            mask.begin(self._plan, sum(stage.schedule.epochs for stage in self._stages), len(data.train))

    def run(self) -> Fitted:
        """Train what is left to train."""
        self._restore()
        if self._position.stage < len(self._stages):
            _log.info("%s trains on %s", self._label, self._plan.describe())
        if self._plan.compile:
            compile_networks(self._method)
        for number in range(self._position.stage, len(self._stages)):
            self._run_stage(number)
        masked = None if self._mask is None else self._mask.table(self._data.train.sample_ids)
        return Fitted(self._states(), self._history.table(), masked)

    def _run_stage(self, number: int) -> None:
        stage = self._stages[number]
        if self._plan.compile:
            forget_compiled()
        optimisers = Optimisers(stage, self._plan)
        if self._optimiser_state is not None:
            optimisers.restore(*self._optimiser_state)
            self._optimiser_state = None
        epochs, steps = stage.schedule.epochs, self._steps(stage)
        first = self._position.epoch
        with StageBar(self._label, stage.name, epochs, steps, first * steps + self._position.step) as bar:
            for epoch in range(first, epochs):
                bar.epoch(epoch)
                self._run_epoch(stage, epoch, optimisers, bar)
                ends = epoch + 1 == epochs
                self._position = Position(number + 1) if ends else Position(number, epoch + 1)
                if ends:
                    self._hand_over(number + 1)
                self._save(None if ends else optimisers)
                self._report(stage, epoch)

    def _hand_over(self, number: int) -> None:
        """Give a stage that is to come the weights that it starts from."""
        if self._starts_from_best(number):
            self._method.load_own_state(self._best_of_stage.kept["best_val"].tensors)
        self._best_of_stage = Selector(("best_val",))

    def _starts_from_best(self, number: int) -> bool:
        return number < len(self._stages) and self._stages[number].starts_from == "best_val"

    def _run_epoch(self, stage: Stage, epoch: int, optimisers: Optimisers, bar: StageBar) -> None:
        rates = optimisers.set_epoch(epoch)
        where = f"stage {stage.name}, epoch {epoch + 1} of {stage.schedule.epochs}"
        ledger = Ledger(where, rates)
        ledger.restore(self._position.ledger)
        began = time.monotonic() - self._position.seconds
        self._method.on_epoch_start(stage, epoch)
        self._method.train()
        self._meter.begin(self._position.joules if self._position.step else None)
        self._train(stage, epoch, optimisers, ledger, bar, began)
        seconds = time.monotonic() - began
        images = min(len(self._samplers[stage.name]), self._steps(stage) * stage.schedule.batch_size)
        speed = {"seconds": seconds, "images_per_second": images / seconds} | self._meter.joules
        means = ledger.means()
        warn_of_collapse(f"{self._label}, {where}", self._method.watch_bounds, means, self._history.rows)
        learning_rates = {f"learning_rate/{player}": rate for player, rate in rates.items()}
        self._history.note(stage.name, epoch, "train", means | learning_rates | speed)
        bar.show(**self._validate(stage, epoch))

    def _train(
        self, stage: Stage, epoch: int, optimisers: Optimisers, ledger: Ledger, bar: StageBar, began: float
    ) -> None:
        size = stage.schedule.batch_size
        start = self._position.step
        keys = training_batches(self._samplers[stage.name], size, epoch, start)
        for step, batch in enumerate(self._loader.batches(keys), start):
            torch.manual_seed(seed_for(self._seed, "step", stage.name, epoch, step))
            batch, watched = self._weighed(stage, epoch, batch, keys[step - start])
            full = len(batch.images) == size
            with self._plan.autocast(), nullcontext() if full else eager():
                losses = self._method.step(batch, stage)
            losses[stage.players[0].name] |= watched
            ledger.note(step, losses, len(batch.images))
            if ledger.unread >= optimisers.check_every:
                ledger.read()
                self._meter.count()
                bar.show(loss=ledger.latest)
            optimisers.step(losses, epoch * self._steps(stage) + step, epoch)
            del losses  # they hold the graph, and the next step would build its own beside it
            bar.step()
            if time.monotonic() - self._saved_at >= self._config.checkpoint_minutes * 60:
                ledger.read()
                self._meter.count()
                seconds, joules, sums = time.monotonic() - began, self._meter.joules, ledger.facts()
                self._position = replace(self._position, step=step + 1, seconds=seconds, joules=joules, ledger=sums)
                self._save(optimisers)
        ledger.read()
        self._meter.count()

    def _weighed(self, stage: Stage, epoch: int, batch: Batch, keys: list[Key]) -> tuple[Batch, Losses]:
        """Return a batch with what its samples count, and what is worth a curve of that."""
        of_class = self._samplers[stage.name].weights
        if self._mask is None and of_class is None:
            return batch, {}
        indices = np.array([index for _, index in keys])
        weights: torch.Tensor | None = None
        watched: Losses = {}
        if self._mask is not None:
            number = self._number(stage, epoch) - 1
            weights, watched = self._mask(self._method, self._data.train.images, batch, indices, number)
        if of_class is not None:
            own = torch.from_numpy(of_class[indices]).to(batch.images.device)
            weights = own if weights is None else weights * own
        return replace(batch, weights=weights), watched

    def _validate(self, stage: Stage, epoch: int) -> dict[str, float]:
        chosen_by: dict[str, float | None] = {}
        for split, (loader, faces) in self._watched.items():
            self._history.note(stage.name, epoch, split, scores(self._method, loader, faces, self._plan))
            chosen_by[split] = self._history.mean(stage.name, epoch, split, self._criterion)
        if self._starts_from_best(self._stages.index(stage) + 1):
            self._best_of_stage.consider(self._method, chosen_by, self._number(stage, epoch))
        # Before the last stage a method is not whole yet: its epochs do not compete.
        if stage is self._stages[-1]:
            self._selector.consider(self._method, chosen_by, self._number(stage, epoch))
        return {f"{split}_{self._criterion}": score for split, score in chosen_by.items() if score is not None}

    def _states(self) -> dict[str, Checkpoint]:
        stage = self._stages[-1]
        epochs = self._number(stage, stage.schedule.epochs - 1)
        states: dict[str, Checkpoint] = {}
        for name in self._config.selections:
            if name == "last":
                validation = self._history.mean(stage.name, stage.schedule.epochs - 1, "val", self._criterion)
                tensors, chosen = snapshot(self._method), {"epoch": epochs, "validation": validation}
            else:
                kept = self._selector.kept[name]
                tensors, chosen = kept.tensors, {"epoch": kept.epoch, "validation": kept.validation}
                if name == "oracle_test":
                    chosen["oracle_test"] = kept.score
            main = name == self._config.selections[0]
            facts = {"selection": name, "main_selection": main, "oracle": name == "oracle_test", "epochs": epochs}
            states[name] = Checkpoint(tensors, self._facts | facts | chosen)
        return states

    def _save(self, optimisers: Optimisers | None) -> None:
        selectors = {"kept": self._selector, "best_of_stage": self._best_of_stage}
        tensors = {"method": self._method.own_state()} | {name: own.tensors() for name, own in selectors.items()}
        if self._mask is not None:
            tensors["mask"] = self._mask.tensors()
        facts = {"history": self._history.rows} | {name: own.facts() for name, own in selectors.items()}
        if optimisers is not None:
            tensors["optimiser"] = optimisers.tensors()
            facts["scaler"] = optimisers.facts()
        self._file.save(self._position, tensors, facts)
        self._saved_at = time.monotonic()

    def _restore(self) -> None:
        loaded = self._file.load()
        if loaded is None:
            return
        self._position, tensors, facts, threads = loaded
        self._method.load_own_state(tensors["method"])
        self._selector.restore(tensors.get("kept", {}), facts["kept"])
        self._best_of_stage.restore(tensors.get("best_of_stage", {}), facts["best_of_stage"])
        self._history.rows = facts["history"]
        if self._mask is not None:
            self._mask.restore(tensors["mask"])
        if "scaler" in facts:
            self._optimiser_state = (tensors.get("optimiser", {}), facts["scaler"])
        if threads != torch.get_num_threads():
            _log.warning(
                "%s was begun with %d CPU threads and goes on with %d: equal up to rounding, not bit by bit",
                self._label, threads, torch.get_num_threads(),
            )  # fmt: skip
        self._announce()
        for number, stage in enumerate(self._stages[: self._position.stage + 1]):
            done = stage.schedule.epochs if number < self._position.stage else self._position.epoch
            for epoch in range(done):
                self._report(stage, epoch)

    def _announce(self) -> None:
        at = self._position
        if at.stage == len(self._stages):
            _log.info("%s was trained to its end before", self._label)
            return
        stage = self._stages[at.stage]
        _log.info(
            "%s continues at stage %s, epoch %d of %d, step %d of %d",
            self._label, stage.name, at.epoch + 1, stage.schedule.epochs, at.step + 1, self._steps(stage),
        )  # fmt: skip

    def _report(self, stage: Stage, epoch: int) -> None:
        if self._tracker is not None:
            values = self._history.values(stage.name, epoch)
            self._tracker.epoch(self._label, stage.name, self._number(stage, epoch), values)

    def _number(self, stage: Stage, epoch: int) -> int:
        earlier = self._stages[: self._stages.index(stage)]
        return sum(other.schedule.epochs for other in earlier) + epoch + 1

    def _steps(self, stage: Stage) -> int:
        return steps_per_epoch(len(self._samplers[stage.name]), stage.schedule.batch_size)
