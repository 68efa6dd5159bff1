"""Every method trains on two devices as on one, up to rounding."""

import json

import numpy as np
import pytest
from tests.methods.trained_together import in_small_batches, losses_of_steps, train_all
from tests.methods.trial import CPU, HELD_OUT, IMAGES, TRAIN, Trial
from tests.prepared import prepared

from openfer.methods.declaration import METHODS
from openfer.training import launch
from openfer.training.loop import FitData
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


class Unheard:
    """A tracker to whom nothing matters; the first process alone is given one."""

    def epoch(self, label, stage, epoch, values):
        pass


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


@pytest.fixture(scope="module")
def setups(tiny_faces):
    return {name: setup_of(name, tiny_faces) for name in NAMES}


@pytest.fixture(scope="module")
def on_two(setups, tmp_path_factory):
    """Return the losses of all methods' steps on two devices, by method."""
    folder = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "_PROCESSES", prepared())
        launch.together(launch.Launch("every method", 2, 1, "gloo"), train_all, (setups, folder), Unheard())
    return json.loads((folder / "losses.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_steps_on_two_devices_have_the_losses_of_one(name, setups, on_two, tmp_path):
    method = setups[name].method
    on_one = losses_of_steps(setups[name], tmp_path)
    assert len(on_one) == len(on_two[name]) == len(method.stages()) * steps_of_a_stage(method) > 1
    for one, two in zip(on_one, on_two[name], strict=True):
        assert one == pytest.approx(two, rel=1e-7, abs=1e-7)
