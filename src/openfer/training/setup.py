"""Everything that is decided before the first step of a run."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from openfer.methods.contract import MISSING, Method
from openfer.training.checks import check_data, check_rated, check_weights
from openfer.training.config import Selection, TrainingConfig
from openfer.training.data import Faces
from openfer.training.device import Plan, resolve
from openfer.training.fit_data import FitData
from openfer.training.masking import Mask
from openfer.training.recipe import facts_of, recipe_of
from openfer.training.sampling import Sampler
from openfer.training.timeline import Timeline

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setup:
    """The decisions for one run.

    Attributes:
        samplers: by stage.
        timeline: at the beginning of the run.
        plan: device and arithmetic.
        watched: the sets that are scored after every epoch, by split.
        facts: what every checkpoint states.
        recipe: what decides the outcome.
    """

    samplers: Mapping[str, Sampler]
    timeline: Timeline
    plan: Plan
    watched: Mapping[str, Faces]
    facts: Mapping[str, Any]
    recipe: Mapping[str, Any]


def prepare(method: Method, data: FitData, config: TrainingConfig, seed: int, label: str, mask: Mask | None) -> Setup:
    """Check that the method can learn from the data, and decide how; nothing is changed yet.

    Raises:
        DataError: if the data cannot serve.
        ParameterError: if the device or a selection is not there, or the method does not read weights of samples.
    """
    stages = tuple(method.stages())
    chosen: tuple[Selection, ...] = tuple("best_val" for stage in stages if stage.starts_from == "best_val")
    requested = (*config.selections, *chosen[:1])
    check_data(data.train, data.validation, data.test, method.classes, requested, method.regresses)
    tasks = [data.train.labels[task] for task in method.classes]
    labels = tasks[0] if tasks else np.full(len(data.train), MISSING)
    check_rated(data.train, stages, labels)
    samplers = {
        stage.name: Sampler(stage.schedule.sampling, labels, seed, stage.name, stage.schedule.batch_size)
        for stage in stages
    }
    check_weights(method, mask is not None, [sampler.weights is not None for sampler in samplers.values()])
    timeline = Timeline(stages, samplers)
    plan = resolve(config, sum(timeline.steps(stage) * stage.schedule.epochs for stage in stages))
    watched = {"val": data.validation} if method.classes or method.regresses else {}
    if "oracle_test" in config.selections and data.test is not None:
        watched["oracle_test"] = data.test
        _log.warning("%s looks at the test set after every epoch: its oracle_test is an oracle's number", label)
    facts = facts_of(method, data.train.images, seed, plan, mask)
    recipe = recipe_of(method, facts, stages, {"train": data.train, **watched}, config.selections)
    return Setup(samplers, timeline, plan, watched, facts, recipe)
