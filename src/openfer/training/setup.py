"""Everything that is decided before the first step of a run."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from openfer.methods.contract import MISSING, Method
from openfer.training.checks import check_data, check_devices, check_rated, check_weights
from openfer.training.config import Selection, TrainingConfig
from openfer.training.data import Faces
from openfer.training.device import Plan, resolve
from openfer.training.masking import Mask
from openfer.training.recipe import facts_of, fingerprint_of_tensors, recipe_of
from openfer.training.sampling import Sampler
from openfer.training.timeline import Timeline

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitData:
    """The sets of one run.

    Attributes:
        train: augmented.
        validation: centre crops; never trained on. None where all training faces train: then no epoch is chosen by it.
        test: centre crops; read only if ``oracle_test`` is among the selections.
        watched: the training faces as centre crops, to be scored after every epoch; None for not.
        votes: for each class of the first task, of the training faces, float32, (N, K); None for learning from labels.
    """

    train: Faces
    validation: Faces | None
    test: Faces | None = None
    watched: Faces | None = None
    votes: np.ndarray | None = None


class Setup:
    """The decisions for one run, checked; nothing is changed yet. The arguments are those of the trainer's ``fit``.

    Attributes:
        timeline: at the beginning of the run.
        samplers: by stage.
        plan: device and arithmetic.
        threads: CPU threads of each of the plan's devices.
        watched: the sets that are scored after every epoch, by split.
        facts: what every checkpoint states.
        recipe: what decides the outcome.

    Raises:
        DataError: if the data cannot serve.
        ParameterError: if a device or a selection is not there, a batch has fewer samples than there are devices, or
            the method does not read weights of samples or soft labels.
    """

    def __init__(
        self, method: Method, data: FitData, config: TrainingConfig, seed: int, label: str, mask: Mask | None
    ) -> None:
        self.method, self.data, self.config, self.seed, self.label, self.mask = method, data, config, seed, label, mask
        stages = tuple(method.stages())
        chosen: tuple[Selection, ...] = tuple("best_val" for stage in stages if stage.starts_from == "best_val")
        requested = (*config.selections, *chosen[:1])
        check_data(
            data.train, data.validation, data.test, method.classes, requested, method.declared.regression_targets
        )
        tasks = [data.train.labels[task] for task in method.classes]
        labels = tasks[0] if tasks else np.full(len(data.train), MISSING)
        check_rated(data.train, stages, labels)
        self.samplers = {
            stage.name: Sampler(
                stage.schedule.sampling, labels, seed, stage.name, stage.schedule.batch_size, data.train.datasets
            )
            for stage in stages
        }
        check_weights(method, mask is not None, [sampler.weights is not None for sampler in self.samplers.values()])
        for stage in stages:
            method.declared.refuse_soft_labels(data.votes is not None, stage.schedule.label_smoothing)
        self.timeline = Timeline(stages, self.samplers)
        steps = sum(self.timeline.steps(stage) * stage.schedule.epochs for stage in stages)
        self.plan: Plan = resolve(config, steps)
        check_devices(self.plan.devices, stages)
        self.threads = max(1, torch.get_num_threads() // self.plan.devices)
        learns = bool(method.classes or method.declared.regression_targets)
        self.watched = {"val": data.validation} if data.validation is not None and learns else {}
        if "oracle_test" in config.selections and data.test is not None:
            self.watched["oracle_test"] = data.test
            _log.warning("%s looks at the test set after every epoch: its oracle_test is an oracle's number", label)
        if data.watched is not None and learns:
            self.watched["train"] = data.watched
        self.facts: Mapping[str, Any] = facts_of(method, data.train.images, seed, self.plan, mask)
        sets = {**self.watched, "train": data.train}
        recipe = recipe_of(method, self.facts, stages, sets, config.selections)
        votes = {} if data.votes is None else {"votes": fingerprint_of_tensors({"": torch.from_numpy(data.votes)})}
        frozen = sorted(
            {name for name, own in method.named_parameters() if not own.requires_grad} & {*method.own_state()}
        )
        kept = {"frozen": frozen} if frozen else {}
        chooses = {"selected_by": config.selected_by, "average_mirrored": config.average_mirrored}
        self.recipe: Mapping[str, Any] = recipe | chooses | votes | kept
