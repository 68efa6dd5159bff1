"""Methods that train for some steps, alone or in the processes of a group, with the losses of every step."""

import json
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.left_out import without_resume_files
from tests.methods.trial import CPU, HELD_OUT, IMAGES, TRAIN, Trial
from torch import Tensor

from openfer.methods.contract import AllSamples, Batch
from openfer.methods.declaration import METHODS
from openfer.training import batches
from openfer.training.loop import FitData, _Run
from openfer.training.mask_settings import GENERATOR, MaskSettings
from openfer.training.neighbourhood import NeighbourhoodMask
from openfer.training.setup import Setup

FLOAT32 = CPU.model_copy(update={"precision": "float32"})
"""No autocast: the networks compute in the type of their weights."""

SAMPLES, STEPS, STEPS_OF_A_STAGE = 3, 4, 2
"""Samples in a batch, of which two processes take two and one; steps of a method over all its stages and in one, at
most. The second step's losses are those after an update by the gradients of both processes.

A step sends the gradients of the whole network in double precision, so there are few. Ten steps of each method were
tried once: their losses differed by 1e-12, in ESR's second stage by 2e-10."""

MASKED = "sna with its mask"
NAMES = (*METHODS.names(), MASKED)


def steps_of_a_stage(method):
    return min(STEPS // len(method.stages()), STEPS_OF_A_STAGE)


def setup_of(name, faces):
    """Return a method with small batches, one epoch a stage."""
    trial = Trial("sna" if name == MASKED else name, faces)
    method = in_small_batches(trial.build(), SAMPLES)
    both = TRAIN.reshape(2, -1).T.ravel()  # the man and the woman in turn
    trained = np.resize(both, steps_of_a_stage(method) * SAMPLES)
    data = FitData(trial.dataset(trained, training=True), trial.dataset(HELD_OUT[:SAMPLES]))
    mask = NeighbourhoodMask(MaskSettings(), Trial(GENERATOR, faces).build(), IMAGES) if name == MASKED else None
    return Setup(method, data, FLOAT32, 0, name, mask)


def in_small_batches(method, samples):
    """Let a method train in batches of this many samples, whatever their classes."""
    small = {"batch_size": samples, "sampling": AllSamples()}
    stages = [replace(stage, schedule=stage.schedule.model_copy(update=small)) for stage in method.stages()]
    method.stages = partial(tuple, stages)
    return method


@contextmanager
def in_double_precision():
    """Compute in float64 also where a network asks for single precision.

    In float32 a change of the memory layout alone makes losses differ by 1 % after ten steps: what is zero up to
    rounding switches a ReLU, and Adam makes a step of full length of it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tensor, "float", Tensor.double)
        patch.setattr(batches, "Batch", _double_batch)
        yield


def _double_batch(images, labels, extras, targets):
    extras, targets = ({name: value.double() for name, value in part.items()} for part in (extras, targets))
    return Batch(images=images.double(), labels=labels, extras=extras, targets=targets)


def losses_of_steps(setup, work):
    """Train in float64, and return the losses of every step by player and name."""
    step, found = setup.method.double().step, []
    if setup.mask is not None:
        setup.mask.generator.double()

    def recorded(batch, stage):
        losses = step(batch, stage)
        found.append({f"{player}/{term}": v.item() for player, terms in losses.items() for term, v in terms.items()})
        return losses

    setup.method.step = recorded
    with in_double_precision(), without_resume_files():
        _Run(setup, work, None).run()
    return found


def train_all(faces, folder: Path, tracker):
    """Train all methods one after the other; the first process writes the losses of their steps.

    Each process builds the methods itself: to send all their weights takes longer.
    """
    found = {name: losses_of_steps(setup_of(name, faces), folder / name) for name in NAMES}
    if tracker is not None:
        (folder / "losses.json").write_text(json.dumps(found))
