"""Every optimiser does what the schedule says of them, also for parameters that step with another rate."""

from typing import get_args

import pytest
import torch
from pydantic import ValidationError
from small_method import fresh, interrupt, painted_store, same_tensors, train
from torch import nn

from openfer.methods.contract import Player, Schedule, Stage
from openfer.training.device import Plan
from openfer.training.optimisers import OPTIMISERS, Optimisers
from openfer.training.stateful import State

PLAN = Plan(torch.device("cpu"), torch.float32, False, False, 0)
SGD = {"epochs": 4, "batch_size": 7, "optimiser": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.01}


def optimisers_of(parameters, scales=(), **schedule):
    stage = Stage("only", Schedule.model_validate(SGD | schedule), (Player("main", parameters, scales=scales),))
    return Optimisers(stage, PLAN)


def step(optimisers, parameters):
    """Minimise half the square of every parameter: its gradient is the parameter."""
    optimisers.step({"main": {"total": sum(0.5 * p.square().sum() for p in parameters)}})


def parameters_of(*values):
    return tuple(nn.Parameter(torch.tensor(value)) for value in values)


def test_sgd_has_momentum_and_weight_decay():
    (own,) = parameters = parameters_of([1.0, -2.0])
    optimisers = optimisers_of(parameters)
    expected, velocity = own.detach().clone(), torch.zeros(2)
    for _ in range(4):
        step(optimisers, parameters)
        velocity = 0.9 * velocity + expected + 0.01 * expected
        expected = expected - 0.1 * velocity
    torch.testing.assert_close(own.detach(), expected)


def test_adam_has_weight_decay():
    """Without a gradient the first step follows the decay alone, whose size Adam normalises away."""
    (own,) = parameters = parameters_of([1.0, -2.0])
    optimisers = optimisers_of(parameters, optimiser="adam", momentum=0)
    optimisers.step({"main": {"total": (0 * own).sum()}})
    torch.testing.assert_close(own.detach(), torch.tensor([0.9, -1.9]), atol=1e-5, rtol=0)


def test_sgd_survives_a_first_step_that_float16_skips():
    (own,) = parameters = parameters_of([1.0, -2.0])
    plan = Plan(torch.device("cpu"), torch.float16, False, False, 0)
    schedule = Schedule.model_validate(SGD | {"weight_decay": 0})
    optimisers = Optimisers(Stage("only", schedule, (Player("main", parameters),)), plan)
    state = optimisers._optimisers["main"].state
    for factor in (float("inf"), float("inf"), 1.0):
        optimisers.step({"main": {"total": 0.5 * factor * own.square().sum()}})
        assert state[own]["momentum_buffer"].isfinite().all()
    torch.testing.assert_close(own.detach(), torch.tensor([0.9, -1.8]))


@pytest.mark.parametrize("optimiser", [{"optimiser": "adam", "momentum": 0}, {"momentum": 0, "weight_decay": 0}])
def test_a_scale_multiplies_the_rate_of_its_parameter_alone(optimiser):
    alike = parameters_of([1.0], [1.0], [1.0])
    optimisers = optimisers_of(alike, scales=(1.0, 0.1, 1.0), **optimiser)
    optimisers.set_epoch(0)
    step(optimisers, alike)
    first, slow, last = (1 - parameter.item() for parameter in alike)
    assert first == last > 0
    assert slow == pytest.approx(first / 10, rel=1e-4)


def test_scales_follow_the_schedule():
    parameters = parameters_of([1.0], [1.0])
    optimisers = optimisers_of(parameters, scales=(1.0, 0.5), milestones=[2])
    rates = optimisers.set_epoch(2)
    groups = optimisers._optimisers["main"].param_groups
    assert rates == pytest.approx({"main": 0.01})
    assert [group["lr"] for group in groups] == pytest.approx([0.01, 0.005])


def test_the_state_of_grouped_parameters_comes_back_to_its_owner():
    def four_steps(interrupted):
        parameters = parameters_of([1.0, 3.0], [2.0], [-1.0])
        optimisers = optimisers_of(parameters, scales=(1.0, 0.1, 1.0))
        for number in range(4):
            if interrupted and number == 2:
                saved = optimisers.state()
                kept = {key: value.clone() for key, value in saved.tensors.items()}
                optimisers = optimisers_of(parameters, scales=(1.0, 0.1, 1.0))
                optimisers.restore(State(kept, saved.facts))
            optimisers.set_epoch(0)
            step(optimisers, parameters)
        return {str(number): parameter.detach() for number, parameter in enumerate(parameters)}

    assert same_tensors(four_steps(interrupted=True), four_steps(interrupted=False))


def test_one_scale_too_few_is_an_error():
    with pytest.raises(ValueError, match="shorter"):
        optimisers_of(parameters_of([1.0], [2.0]), scales=(1.0,))


def test_momentum_without_sgd_is_refused():
    with pytest.raises(ValidationError, match=r"momentum is 0\.9, which adam does not read; set optimiser: sgd"):
        Schedule(epochs=1, batch_size=2, learning_rate=0.1, momentum=0.9)


def test_a_method_learns_with_sgd(tmp_path):
    method = fresh()
    schedule = Schedule.model_validate(SGD | {"epochs": 6, "learning_rate": 0.05})
    method.config = method.config.model_copy(update={"schedule": schedule})
    fitted = train(painted_store(tmp_path / "store"), tmp_path / "work", method)
    losses = fitted.history.loc[fitted.history["name"] == "main/classification", "value"].tolist()
    assert losses[-1] < 0.7 * losses[0]  # over ten seeds on AVX2 0.46 with a deviation of 0.09


def test_rmsprop_divides_by_the_running_root_mean_square():
    (own,) = parameters = parameters_of([1.0, -2.0])
    optimisers = optimisers_of(parameters, optimiser="rmsprop", momentum=0, weight_decay=0)
    expected, square = own.detach().clone(), torch.zeros(2)
    for _ in range(3):
        step(optimisers, parameters)
        square = 0.99 * square + 0.01 * expected**2
        expected = expected - 0.1 * expected / (square.sqrt() + 1e-8)
    torch.testing.assert_close(own.detach(), expected)


def test_rmsprop_has_no_momentum_to_be_given():
    with pytest.raises(ValidationError, match=r"momentum is 0.9, which rmsprop does not read"):
        Schedule.model_validate(SGD | {"optimiser": "rmsprop"})


def test_losses_of_rmsprop_are_looked_at_in_every_step_as_it_cannot_be_held_back():
    gpu = Plan(torch.device("cuda"), torch.bfloat16, True, False, 0)
    assert gpu.check_every > 1
    schedule = Schedule.model_validate(SGD | {"optimiser": "rmsprop", "momentum": 0})
    assert Optimisers(Stage("only", schedule, (Player("main", parameters_of([1.0])),)), gpu).check_every == 1


def test_a_player_takes_part_in_the_last_of_so_many_steps_and_in_all_of_its_eager_epochs():
    first, second = parameters_of([1.0], [1.0])
    players = (Player("one", (first,)), Player("two", (second,), every=3, eager_epochs=1))
    optimisers = Optimisers(Stage("only", Schedule.model_validate(SGD), players), PLAN)
    moved = []
    for number in range(8):  # four steps an epoch
        before = [p.item() for p in (first, second)]
        losses = {"one": {"total": 0.5 * first.square().sum()}, "two": {"total": 0.5 * second.square().sum()}}
        optimisers.step(losses, number, number // 4)
        moved.append([p.item() != old for p, old in zip((first, second), before, strict=True)])
    assert [own for own, _ in moved] == [True] * 8
    assert [other for _, other in moved] == [True] * 4 + [False, True, False, False]


def test_adamw_decays_weights_apart_from_the_gradient():
    (own,) = parameters = parameters_of([1.0, -2.0])
    optimisers = optimisers_of(parameters, optimiser="adamw", momentum=0, weight_decay=0.5)
    expected, first, second = own.detach().clone(), torch.zeros(2), torch.zeros(2)
    for number in range(1, 4):
        gradient = expected
        step(optimisers, parameters)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        move = (first / (1 - 0.9**number)) / ((second / (1 - 0.999**number)).sqrt() + 1e-8)
        expected = expected - 0.1 * 0.5 * expected - 0.1 * move
    torch.testing.assert_close(own.detach(), expected)


def test_settings_and_registry_name_the_same_optimisers():
    assert set(get_args(Schedule.model_fields["optimiser"].annotation)) == set(OPTIMISERS)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_long_gradient_is_scaled_down_to_the_largest_norm_and_a_short_one_is_not(dtype):
    """The gradient is (3, 4, 12), of length 13, over both parameters together; the other player's is (0.3,)."""
    parts, (other,) = parameters_of([3.0, 4.0], [12.0]), parameters_of([0.3])
    schedule = Schedule.model_validate(SGD | {"momentum": 0, "weight_decay": 0, "clip_norm": 2.6})
    plan = Plan(torch.device("cpu"), dtype, False, False, 0)
    optimisers = Optimisers(Stage("only", schedule, (Player("main", parts), Player("other", (other,)))), plan)
    optimisers.step(
        {
            "main": {"total": sum(0.5 * part.square().sum() for part in parts)},
            "other": {"total": 0.5 * other.square().sum()},
        }
    )
    clipped = 2.6 / 13
    torch.testing.assert_close(parts[0].detach(), torch.tensor([3 - 0.1 * 3 * clipped, 4 - 0.1 * 4 * clipped]))
    torch.testing.assert_close(parts[1].detach(), torch.tensor([12 - 0.1 * 12 * clipped]))
    torch.testing.assert_close(other.detach(), torch.tensor([0.3 - 0.1 * 0.3]))


@pytest.mark.parametrize("optimiser", [name for name, kind in OPTIMISERS.items() if kind.fused])
def test_a_fused_optimiser_keeps_weights_from_the_first_loss_on_that_is_not_finite(optimiser, monkeypatch):
    monkeypatch.setattr(Plan, "check_every", property(lambda plan: 100))
    (own,) = parameters = parameters_of([1.0, -2.0])
    optimisers = optimisers_of(parameters, optimiser=optimiser, momentum=0, clip_norm=0.5)
    step(optimisers, parameters)
    before = own.detach().clone()
    optimisers.step({"main": {"total": own.sum() * float("inf")}})
    step(optimisers, parameters)
    assert torch.equal(own.detach(), before)
    assert not torch.equal(before, torch.tensor([1.0, -2.0]))


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_run_with_any_optimiser_and_clipping_resumes_bit_identically(tmp_path, optimiser):
    store = painted_store(tmp_path / "store")

    def method():
        made = fresh()
        changes = {"optimiser": optimiser, "clip_norm": 0.5}
        schedule = made.config.schedule.model_copy(update=changes)
        made.config = made.config.model_copy(update={"schedule": schedule})
        return made

    interrupt(tmp_path / "work", store, 4, method(), checkpoint_minutes=0)
    resumed = train(store, tmp_path / "work", method(), checkpoint_minutes=0)
    whole = train(store, tmp_path / "whole", method())
    assert same_tensors(resumed.states["last"].tensors, whole.states["last"].tensors)
