"""Every method trains on two devices as on one, up to rounding."""

import json

import pytest
from tests.methods.trained_together import NAMES, losses_of_steps, setup_of, steps_of_a_stage, train_all
from tests.prepared import prepared

from openfer.training import launch


class Unheard:
    """A tracker to whom nothing matters; the first process alone is given one."""

    def epoch(self, label, stage, epoch, values):
        pass


@pytest.fixture(scope="module")
def on_two(tiny_faces, tmp_path_factory):
    """Return the losses of all methods' steps on two devices, by method."""
    folder = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "_PROCESSES", prepared())
        launch.together(launch.Launch("every method", 2, 1, "gloo"), train_all, (tiny_faces, folder), Unheard())
    return json.loads((folder / "losses.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_steps_on_two_devices_have_the_losses_of_one(name, tiny_faces, on_two, tmp_path):
    setup = setup_of(name, tiny_faces)
    on_one = losses_of_steps(setup, tmp_path)
    assert len(on_one) == len(on_two[name]) == len(setup.method.stages()) * steps_of_a_stage(setup.method) > 1
    for one, two in zip(on_one, on_two[name], strict=True):
        assert one == pytest.approx(two, rel=1e-7, abs=1e-7)
