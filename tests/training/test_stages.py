"""Stages that follow each other: what they start from, what they show, and where a killed run goes on."""

from dataclasses import replace

import pytest
import torch
from small_method import CLASSES, EPOCHS, SmallMethod, fit_data, interrupt, painted_store, same_tensors

from openfer.errors import DataError
from openfer.methods.contract import BalancedSubset, Stage
from openfer.methods.registry import build
from openfer.training import loop, validation
from openfer.training.config import TrainingConfig
from openfer.training.loop import fit
from openfer.training.recipe import recipe_of
from openfer.training.selection import snapshot

CPU = TrainingConfig(device="cpu", precision="float32", workers=0, checkpoint_minutes=0)
PER_CLASS = 4
STEPS = 2
"""Twelve samples in batches of seven."""

STARTED = [(stage, epoch) for stage in ("first", "second") for epoch in range(EPOCHS)]


class Growing(SmallMethod):
    """Two stages; notes what weights each of them begins with."""

    def __init__(self):
        super().__init__()
        self.started = []
        self.before_first_step = {}

    def stages(self):
        (only,) = super().stages()
        schedule = only.schedule.model_copy(update={"sampling": BalancedSubset(per_class=PER_CLASS)})
        return (
            Stage("first", schedule, only.players),
            Stage("second", schedule, only.players, starts_from="best_val"),
        )

    def on_epoch_start(self, stage, epoch):
        self.started.append((stage.name, epoch))

    def step(self, batch, stage):
        self.before_first_step.setdefault(stage.name, snapshot(self))
        return super().step(batch, stage)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return painted_store(tmp_path_factory.mktemp("faces") / "store")


@pytest.fixture
def scripted(monkeypatch):
    """Validation accuracies by a list; the weights of every epoch by its number."""
    seen = []

    def script(*scores):
        def found(method, *_):
            seen.append(snapshot(method))
            return {"accuracy/expression": scores[len(seen) - 1]}

        monkeypatch.setattr(validation, "scores", found)
        return seen

    return script


def growing():
    torch.manual_seed(0)
    return Growing()


def test_a_stage_starts_from_the_best_validation_epoch_of_the_one_before(tmp_path, store, scripted):
    epochs = scripted(0.2, 0.9, 0.9, 0.1, 0.3, 0.2)
    method = growing()
    fitted = fit(method, fit_data(store), CPU, 3, tmp_path)
    assert method.started == STARTED
    assert same_tensors(method.before_first_step["second"], epochs[1])  # of two equal epochs the earlier one
    assert not same_tensors(epochs[1], epochs[2])
    # what is kept is chosen among the last stage's epochs, whatever came before
    assert same_tensors(fitted.states["best_val"].tensors, epochs[4])
    assert same_tensors(fitted.states["last"].tensors, epochs[5])
    assert fitted.states["best_val"].facts["epoch"] == EPOCHS + 2


def test_a_stage_starts_from_the_one_before_and_from_none_earlier(tmp_path, store, scripted):
    class GrowingTwice(Growing):
        def stages(self):
            first, second = super().stages()
            return first, second, replace(second, name="third")

    epochs = scripted(0.2, 0.9, 0.1, 0.3, 0.4, 0.2, 0.1, 0.1, 0.1)
    torch.manual_seed(0)
    method = GrowingTwice()
    fit(method, fit_data(store), CPU, 3, tmp_path)
    assert same_tensors(method.before_first_step["third"], epochs[EPOCHS + 1])


def test_every_stage_of_a_compiled_run_compiles_its_own(tmp_path, store, monkeypatch):
    forgotten = []
    monkeypatch.setattr(loop, "compile_networks", lambda method: None)
    monkeypatch.setattr(loop, "forget_compiled", lambda: forgotten.append(True))
    fit(growing(), fit_data(store), CPU.model_copy(update={"compile": True}), 3, tmp_path)
    assert len(forgotten) == 2


def test_how_a_model_is_to_predict_is_no_part_of_its_training_s_recipe(store):
    def recipe(**changes):
        torch.manual_seed(0)
        method = build("esr", {"branches": 2} | changes, CLASSES)
        data = {"train": fit_data(store).train}
        return recipe_of(method, {"seed": 0}, method.stages(), data, ("last",))

    assert recipe(early_exit=1) == recipe()
    assert recipe(ties="probability") != recipe()


def test_every_stage_trains_on_a_balanced_subset_of_its_own(tmp_path, store):
    seen = {"first": [], "second": []}

    class Watching(Growing):
        def step(self, batch, stage):
            seen[stage.name] += batch.labels["expression"].tolist()
            return super().step(batch, stage)

    fit(Watching(), fit_data(store), CPU, 3, tmp_path)
    for labels in seen.values():
        assert [labels.count(label) for label in (0, 1, 2)] == [EPOCHS * PER_CLASS] * 3


@pytest.mark.parametrize("after", [STEPS, EPOCHS * STEPS - 1, EPOCHS * STEPS, EPOCHS * STEPS + 3])
def test_a_run_broken_off_in_any_stage_ends_bit_identically(tmp_path, store, after, caplog):
    whole = fit(growing(), fit_data(store), CPU, 3, tmp_path / "whole")
    interrupt(tmp_path / "work", store, after, growing(), checkpoint_minutes=0)
    again = growing()
    with caplog.at_level("INFO"):
        resumed = fit(again, fit_data(store), CPU, 3, tmp_path / "work")
    for selection in ("best_val", "last"):
        assert same_tensors(resumed.states[selection].tensors, whole.states[selection].tensors)
    assert again.started == STARTED[after // STEPS :]
    if after == EPOCHS * STEPS:
        assert f"continues at stage second, epoch 1 of {EPOCHS}, step 1 of {STEPS}" in caplog.text


def test_a_stage_that_starts_from_the_best_epoch_needs_validation_labels(tmp_path, store):
    data = fit_data(store)
    data.validation.labels["expression"][:] = -1
    with pytest.raises(DataError, match="no sample of the validation set is labelled"):
        fit(growing(), data, CPU.model_copy(update={"selections": ("last",)}), 3, tmp_path)
