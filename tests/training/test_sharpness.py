"""Sharpness-aware minimisation: two passes over one batch, one update."""

import pytest
import torch
from small_method import EPOCHS, STEPS, SmallMethod, SmallSettings, interrupt, painted_store, same_tensors, train
from torch import nn

from openfer.errors import TrainingError
from openfer.methods.contract import Player, Schedule, Stage
from openfer.training.device import Plan
from openfer.training.optimisers import Optimisers

RADIUS = 0.5
SAM = {"epochs": EPOCHS, "batch_size": 7, "learning_rate": 0.1, "optimiser": "sgd", "sam_radius": RADIUS}


def optimisers_of(players, dtype=torch.float32):
    plan = Plan(torch.device("cpu"), dtype, False, False, 0)
    return Optimisers(Stage("only", Schedule.model_validate(SAM), players), plan)


def sam():
    torch.manual_seed(0)
    return SmallMethod(SmallSettings(schedule=Schedule.model_validate(SAM | {"learning_rate": 0.01})))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return painted_store(tmp_path_factory.mktemp("faces") / "store")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_the_gradient_is_that_of_the_point_uphill(dtype):
    """Of the sum of fourth powers over 4 the gradient is the cube."""
    (own, other) = parts = (nn.Parameter(torch.tensor([1.0, -2.0])), nn.Parameter(torch.tensor([0.5])))

    def losses():
        return {"main": {"total": sum(part.pow(4).sum() / 4 for part in parts)}}

    optimisers = optimisers_of((Player("main", parts),), dtype)
    expected = torch.tensor([1.0, -2.0, 0.5])
    for _ in range(3):
        optimisers.step(losses(), again=losses)
        gradient = expected**3
        above = expected + RADIUS * gradient / gradient.norm()
        expected = expected - 0.1 * above**3
    torch.testing.assert_close(torch.cat([own, other]).detach(), expected)


def test_every_player_moves_along_its_own_gradient_only():
    (first, second) = (nn.Parameter(torch.tensor([2.0])), nn.Parameter(torch.tensor([-3.0])))
    seen = []

    def losses():
        seen.append((first.item(), second.item()))
        return {"one": {"total": first.square().sum()}, "two": {"total": second.square().sum()}}

    optimisers_of((Player("one", (first,)), Player("two", (second,)))).step(losses(), again=losses)
    assert seen == [(2.0, -3.0), (2.0 + RADIUS, -3.0 - RADIUS)]


def test_a_gradient_that_float16_cannot_hold_moves_nothing():
    (own,) = parts = (nn.Parameter(torch.tensor([1.0])),)
    optimisers = optimisers_of((Player("main", parts),), torch.float16)
    optimisers.step({"main": {"total": own.sum() * float("inf")}}, again=lambda: {"main": {"total": own.sum()}})
    assert own.isfinite().all()


def test_two_passes_without_a_second_one_are_refused():
    (own,) = parts = (nn.Parameter(torch.tensor([1.0])),)
    with pytest.raises(ValueError, match="needs the losses twice"):
        optimisers_of((Player("main", parts),)).step({"main": {"total": own.sum()}})


def test_statistics_of_batch_normalisation_count_the_first_pass_alone(tmp_path, store):
    fitted = train(store, tmp_path, sam())
    assert fitted.states["last"].tensors["trunk.1.num_batches_tracked"] == EPOCHS * STEPS


def test_an_interrupted_run_of_two_passes_ends_bit_identically(tmp_path, store):
    interrupt(tmp_path / "work", store, 2 * STEPS + 2, sam(), checkpoint_minutes=0)
    resumed = train(store, tmp_path / "work", sam(), checkpoint_minutes=0)
    whole = train(store, tmp_path / "whole", sam())
    assert same_tensors(resumed.states["last"].tensors, whole.states["last"].tensors)


@pytest.mark.parametrize("check_every", [1, 4], ids=["read at once", "read later, as on a GPU"])
def test_a_second_pass_that_is_not_finite_stops_before_any_update(tmp_path, store, monkeypatch, check_every):
    monkeypatch.setattr(Plan, "check_every", check_every)
    method = sam()
    before = {name: value.clone() for name, value in method.named_parameters()}
    step, done = method.step, 0

    def exploding(batch, stage):
        nonlocal done
        losses = step(batch, stage)
        done += 1
        if done == 2:
            losses["main"]["total"] = losses["main"]["total"] * float("inf")
        return losses

    method.step = exploding
    with pytest.raises(TrainingError, match="step 1"):
        train(store, tmp_path, method)
    assert all(torch.equal(value, before[name]) for name, value in method.named_parameters())
