"""Every learning-rate schedule against a loop that multiplies epoch by epoch."""

import math
from typing import get_args

import pytest
import torch
from pydantic import ValidationError
from small_method import SmallMethod, SmallSettings, interrupt, painted_store, same_tensors, train
from torch import nn

from openfer.methods.contract import Player, Schedule, Stage
from openfer.training.learning_rates import SCHEDULES, learning_rate

EPOCHS = 12


def rates(decays=True, **settings):
    schedule = Schedule.model_validate({"epochs": EPOCHS, "batch_size": 7, "learning_rate": 0.2} | settings)
    player = Player("main", (nn.Parameter(torch.zeros(1)),), decays=decays)
    return [learning_rate(Stage("only", schedule, (player,)), player, epoch) for epoch in range(EPOCHS)]


def naive(kind, warmup=0, milestones=(), decay=0.1):
    """Walk through the epochs as a reader of the settings would."""
    found, rate = [], 0.2
    for epoch in range(EPOCHS):
        if kind == "multi_step" and epoch in milestones:
            rate *= decay
        if kind == "exponential" and epoch > warmup:
            rate *= decay
        if kind == "cosine" and epoch >= warmup:
            rate = 0.2 * 0.5 * (1 + math.cos(math.pi * (epoch - warmup) / (EPOCHS - warmup)))
        found.append(rate * (epoch + 1) / (warmup + 1) if epoch < warmup else rate)
    return found


SETTINGS = {
    "multi_step": {"milestones": (4, 9), "decay": 0.3},
    "cosine": {},
    "exponential": {"decay": 0.8},
}


@pytest.mark.parametrize("warmup", [0, 1, 3])
@pytest.mark.parametrize("kind", SETTINGS)
def test_a_schedule_follows_a_naive_loop(kind, warmup):
    found = rates(learning_rate_schedule=kind, warmup_epochs=warmup, **SETTINGS[kind])
    assert found == pytest.approx(naive(kind, warmup, **SETTINGS[kind]))


def test_settings_and_registry_name_the_same_schedules():
    assert set(get_args(Schedule.model_fields["learning_rate_schedule"].annotation)) == set(SCHEDULES) == set(SETTINGS)


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_player_that_does_not_decay_may_have_milestones_of_its_own(kind):
    schedule = Schedule.model_validate(
        {"epochs": EPOCHS, "batch_size": 7, "learning_rate": 0.2, "learning_rate_schedule": kind, "decay": 0.5}
    )
    player = Player("opponent", (nn.Parameter(torch.zeros(1)),), decays=False, milestones=(3, 8))
    found = [learning_rate(Stage("only", schedule, (player,)), player, epoch) for epoch in range(EPOCHS)]
    assert found == pytest.approx([0.2] * 3 + [0.1] * 5 + [0.05] * 4)


def test_the_default_schedule_is_constant_until_a_milestone():
    assert rates() == [0.2] * EPOCHS


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_player_that_does_not_decay_only_warms_up(kind):
    found = rates(decays=False, learning_rate_schedule=kind, warmup_epochs=3, **SETTINGS[kind])
    assert found == pytest.approx([0.05, 0.1, 0.15] + [0.2] * (EPOCHS - 3))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate_schedule": "cosine", "milestones": (3,)}, r"milestones are \(3,\), which cosine does not"),
        ({"learning_rate_schedule": "exponential"}, "exponential without a decay"),
        ({"milestones": (3, EPOCHS)}, r"milestones are \[3, 12\] of 12 epochs, so that \[12\] are never reached"),
        (
            {"milestones": (0, -1, 3)},
            r"milestones are \[0, -1, 3\], so that \[0, -1\] lower .* give milestones of 1 or more",
        ),
        ({"warmup_epochs": EPOCHS}, "warmup_epochs is 12 of 12 epochs"),
    ],
)
def test_a_setting_without_effect_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        rates(**settings)


@pytest.mark.parametrize("kind", ["cosine", "exponential"])
def test_a_run_logs_its_schedule_and_resumes_bit_identically(tmp_path, kind):
    store = painted_store(tmp_path / "store")
    settings = {"epochs": 3, "batch_size": 7, "learning_rate": 0.01, "warmup_epochs": 1, "decay": 0.5}
    schedule = Schedule.model_validate(settings | {"learning_rate_schedule": kind})

    def method():
        torch.manual_seed(0)
        return SmallMethod(SmallSettings(schedule=schedule))

    interrupt(tmp_path / "work", store, 4, method(), checkpoint_minutes=0)
    resumed = train(store, tmp_path / "work", method(), checkpoint_minutes=0)
    whole = train(store, tmp_path / "whole", method())
    assert same_tensors(resumed.states["last"].tensors, whole.states["last"].tensors)
    logged = whole.history.loc[whole.history["name"] == "learning_rate/main", "value"].tolist()
    assert logged == pytest.approx([0.005, 0.01, 0.005])
