"""No run collapses silently: what leaves its bounds is told of, once, with the number."""

import logging
import math

import pytest
import torch
from small_method import STEPS, SmallMethod, SmallSettings, interrupt, painted_store, train

from openfer.methods.contract import Schedule, WatchBounds
from openfer.training.collapse import warn_of_collapse

BOUNDS = {"main/watch/norm": WatchBounds(0.1, 2.0, "the feature has vanished")}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return painted_store(tmp_path_factory.mktemp("faces") / "store")


class Bounded(SmallMethod):
    """The small method, whose features have a norm of some tenths to ones."""

    @property
    def watch_bounds(self):
        return {"main/watch/norm": WatchBounds(0.1, 100.0, "the feature has vanished")}


def healthy():
    torch.manual_seed(0)
    return Bounded()


def collapsing():
    """Return one whose weights decay so fast that nothing is left of its features after some epochs."""
    torch.manual_seed(0)
    steps = {"learning_rate": 0.05, "weight_decay": 100.0, "milestones": (8,), "decay": 0.01}
    return Bounded(SmallSettings(schedule=Schedule(epochs=12, batch_size=7, **steps)))


def warnings(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING and "outside" in r.getMessage()]


def test_a_run_that_collapses_warns_once_and_keeps_the_curve(tmp_path, store, caplog):
    fitted = train(store, tmp_path, collapsing())
    (said,) = warnings(caplog)
    curve = fitted.history.loc[fitted.history["name"] == "main/watch/norm", "value"].tolist()
    assert len(curve) == 12
    first = next(epoch for epoch, norm in enumerate(curve) if norm < 0.1)
    assert 0 < first < 11
    assert said.startswith(f"small, stage only, epoch {first + 1} of 12: norm of main is {curve[first]:.3g} on average")
    assert "outside of 0.1 to 100: the feature has vanished" in said


def test_a_healthy_run_does_not(tmp_path, store, caplog):
    train(store, tmp_path, healthy())
    assert warnings(caplog) == []


def test_a_run_that_goes_on_does_not_warn_of_what_it_was_told_before(tmp_path, store, caplog):
    interrupt(tmp_path, store, 11 * STEPS + 1, collapsing(), checkpoint_minutes=0.0)
    assert len(warnings(caplog)) == 1
    train(store, tmp_path, collapsing(), checkpoint_minutes=0.0)
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize(("value", "warns"), [(0.05, True), (0.1, False), (2.0, False), (2.1, True), (math.nan, True)])
def test_a_value_on_a_bound_is_within_and_nan_is_outside(caplog, value, warns):
    warn_of_collapse("here", BOUNDS, {"main/watch/norm": value, "main/total": -5.0}, [])
    assert bool(warnings(caplog)) == warns


def test_what_was_outside_before_is_told_of_once_and_a_second_scalar_still_is(caplog):
    bounds = BOUNDS | {"mine/watch/estimate": WatchBounds(-1, 10, "diverged")}
    earlier = [["one", 1, "train", "main/watch/norm", 0.0], ["one", 1, "train", "mine/watch/estimate", 1.0]]
    warn_of_collapse("here", bounds, {"main/watch/norm": 0.0, "mine/watch/estimate": 1e3}, earlier)
    assert warnings(caplog) == [
        "here: estimate of mine is 1e+03 on average, outside of -1 to 10: diverged. The run goes on; see its curve"
    ]
