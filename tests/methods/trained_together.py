"""Methods that train for some steps, alone or in the processes of a group, with the losses of every step."""

import json
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.left_out import without_resume_files
from torch import Tensor

from openfer.methods.contract import AllSamples, Batch
from openfer.training import batches
from openfer.training.loop import _Run


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


def train_all(setups, folder: Path, tracker):
    """Train methods one after the other; the first process writes what they did."""
    found = {name: losses_of_steps(setup, folder / name) for name, setup in setups.items()}
    if tracker is not None:
        (folder / "losses.json").write_text(json.dumps(found))
