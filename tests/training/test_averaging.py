"""Averaged weights: what they are, where they are used, and that they survive an interruption."""

import pytest
import torch
from small_method import EPOCHS, STEPS, SmallMethod, SmallSettings, interrupt, painted_store, same_tensors, train

from openfer.methods.contract import Stage
from openfer.training import validation
from openfer.training.averaging import WeightAverage
from openfer.training.predict import scores
from openfer.training.selection import snapshot

DECAY = 0.8
INTEGER = "trunk.1.num_batches_tracked"


class Noting(SmallMethod):
    """Notes the weights that every step begins with."""

    def __init__(self, decay=DECAY):
        schedule = SmallSettings().schedule.model_copy(update={"average_decay": decay})
        super().__init__(SmallSettings(schedule=schedule))
        self.seen = []

    def step(self, batch, stage):
        self.seen.append(snapshot(self))
        return super().step(batch, stage)


class InTwoStages(Noting):
    def stages(self):
        (first,) = super().stages()
        return first, Stage("second", first.schedule, first.players)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return painted_store(tmp_path_factory.mktemp("faces") / "store")


def noting(kind=Noting, **settings):
    torch.manual_seed(0)
    return kind(**settings)


def averaged(weights):
    """Average the weights before the first step with those after every step, one number after another."""
    average = {key: value.clone() for key, value in weights[0].items()}
    for after in weights[1:]:
        for key, value in after.items():
            average[key] = value if key == INTEGER else DECAY * average[key] + (1 - DECAY) * value
    return average


def weights_of_all_steps(store, work):
    """Train without averaging, which changes no step, and return the weights before the first and after every step."""
    method = noting(decay=None)
    fitted = train(store, work, method)
    return [*method.seen, fitted.states["last"].tensors]


def close(one, other):
    return one.keys() == other.keys() and all(torch.allclose(one[key], other[key], atol=1e-6) for key in one)


def test_the_average_is_that_of_a_naive_loop_and_is_what_is_saved(tmp_path, store):
    weights = weights_of_all_steps(store, tmp_path / "plain")
    fitted = train(store, tmp_path / "averaged", noting())
    assert close(fitted.states["last"].tensors, averaged(weights))
    epoch = fitted.states["best_val"].facts["epoch"]
    assert close(fitted.states["best_val"].tensors, averaged(weights[: epoch * STEPS + 1]))
    assert not close(fitted.states["last"].tensors, weights[-1])


def test_averaging_changes_no_step_of_the_training(tmp_path, store):
    weights = weights_of_all_steps(store, tmp_path / "plain")
    method = noting()
    train(store, tmp_path / "averaged", method)
    assert len(method.seen) == EPOCHS * STEPS
    assert all(same_tensors(one, other) for one, other in zip(method.seen, weights, strict=False))


def test_statistics_of_batch_normalisation_are_averaged_and_counters_are_copied():
    method = noting()
    average = WeightAverage(method, DECAY)
    with torch.no_grad():
        method.trunk[1].running_mean += 1.0
        method.trunk[1].num_batches_tracked += 5
    average.update()
    state = average.state().tensors
    torch.testing.assert_close(state["trunk.1.running_mean"], torch.full((8,), 1 - DECAY))
    assert state[INTEGER] == 5


def test_averaged_weights_are_what_validates(tmp_path, store, monkeypatch):
    weights = weights_of_all_steps(store, tmp_path / "plain")
    validated = []

    def noted(method, *rest):
        validated.append(snapshot(method))
        return scores(method, *rest)

    monkeypatch.setattr(validation, "scores", noted)
    train(store, tmp_path / "averaged", noting())
    for epoch, found in enumerate(validated, 1):
        assert close(found, averaged(weights[: epoch * STEPS + 1]))


def test_the_next_stage_starts_from_the_averaged_weights(tmp_path, store, monkeypatch):
    validated = []

    def noted(method, *rest):
        validated.append(snapshot(method))
        return scores(method, *rest)

    monkeypatch.setattr(validation, "scores", noted)
    method = noting(InTwoStages)
    train(store, tmp_path, method)
    assert same_tensors(method.seen[EPOCHS * STEPS], validated[EPOCHS - 1])


@pytest.mark.parametrize("after", [1, STEPS, STEPS + 1, EPOCHS * STEPS, EPOCHS * STEPS + 2])
def test_an_interrupted_run_with_averages_ends_bit_identically(tmp_path, store, after):
    interrupt(tmp_path / "work", store, after, noting(InTwoStages), checkpoint_minutes=0)
    resumed = train(store, tmp_path / "work", noting(InTwoStages), checkpoint_minutes=0)
    whole = train(store, tmp_path / "whole", noting(InTwoStages))
    for selection in ("last", "best_val"):
        assert same_tensors(resumed.states[selection].tensors, whole.states[selection].tensors)


def test_without_a_decay_nothing_is_held_and_nothing_changes():
    method = noting(decay=None)
    before = snapshot(method)
    average = WeightAverage(method, None)
    average.update()
    with average.applied():
        assert same_tensors(snapshot(method), before)
    average.apply()
    assert same_tensors(snapshot(method), before)
    assert not average.state().tensors
