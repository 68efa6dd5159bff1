"""What every registered method must do, whatever paper it is from."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from openfer.io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from openfer.methods.contract import Batch
from openfer.methods.names import method_names
from openfer.methods.registry import build, method_class
from openfer.pipelines.training_data import landmark_array
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.data import FaceDataset
from openfer.training.loop import FitData, fit
from openfer.training.predict import predict

LABELLED = ("expression", "gender", "race", "identity")
IMAGES = ImageSettings(crop=64, flip=False)
CPU = TrainingConfig(device="cpu", workers=0, selections=("last",))
TRAIN = np.r_[0:7, 28:35]
"""Seven expressions of a man and of a woman of another race: every task shows several classes."""

HELD_OUT = np.arange(49, 56)


@dataclass(frozen=True)
class Trial:
    """One method with faces to try it on."""

    name: str
    faces: Any

    @property
    def classes(self):
        return {task: self.faces.classes(task) for task in method_class(self.name).tasks if task in LABELLED}

    def build(self, **schedule):
        """Build with fresh weights, the same at every call, its own parameters and a short schedule."""
        torch.manual_seed(0)
        models = {need: self._fresh_model(need) for need in method_class(self.name).needs}
        config = {"schedule": {"epochs": 1, "batch_size": 7, "learning_rate": 1e-3} | schedule}
        if "factors" in method_class(self.name).config_class.model_fields:
            config["factors"] = [task for task in LABELLED if task != "expression"]
        if "blocks" in method_class(self.name).config_class.model_fields:
            config["blocks"] = [1, 1, 1, 1]
        return build(self.name, config, self.classes, models)

    def data(self, rows=TRAIN, held_out=HELD_OUT):
        return FitData(self.dataset(rows, training=True), self.dataset(held_out))

    def dataset(self, rows, training=False):
        labels = {task: self.faces.labels(task)[rows] for task in self.classes}
        extras = {name: self.extra(name)[rows] for name in method_class(self.name).extras}
        return FaceDataset(self.faces.store, rows, labels, IMAGES, seed=0, training=training, extras=extras)

    def extra(self, name):
        assert name == "landmarks"
        table = self.faces.store.table(["sample_id", "points68", "confidence68"])
        return landmark_array(table, self.faces.scenes["sample_id"])

    def _fresh_model(self, need):
        model = Trial(need, self.faces).build()
        facts = {"classes": model.classes, "config": model.config.model_dump(mode="json")}
        return Checkpoint(model.own_state(), facts)


@pytest.fixture(autouse=True)
def _one_thread():
    """Two threads wait for each other where other programs run too, and these networks are small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=method_names())
def trial(request, tiny_faces):
    return Trial(request.param, tiny_faces)


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_it_builds_with_parameters_and_players_that_own_them(trial):
    method = trial.build()
    assert method.name == trial.name
    assert sum(parameter.numel() for parameter in method.parameters()) > 0
    own = {id(parameter) for key, parameter in method.named_parameters() if key.split(".")[0] not in method.needs}
    for stage in method.stages():
        names = [player.name for player in stage.players]
        assert len(set(names)) == len(names)
        owned = [id(parameter) for player in stage.players for parameter in player.parameters]
        assert len(set(owned)) == len(owned), "a parameter has two players"
        assert set(owned) <= own, "a player owns a parameter of an adopted model"


def test_its_variants_are_named_by_the_settings_that_make_them(trial):
    for name, settings in method_class(trial.name).variants.items():
        assert build(trial.name, settings, trial.classes).variant == name


def test_its_step_names_finite_losses_for_every_player(trial):
    method = trial.build()
    labels = {task: torch.from_numpy(trial.faces.labels(task)[:6]) for task in trial.classes}
    extras = {name: torch.from_numpy(trial.extra(name)[:6]) for name in method.extras}
    batch = Batch(torch.randn(6, 3, 64, 64), labels, extras)
    for stage in method.stages():
        losses = method.step(batch, stage)
        assert list(losses) == [player.name for player in stage.players]
        for terms in losses.values():
            assert all(value.ndim == 0 and value.isfinite() for value in terms.values())
            assert terms["total"].requires_grad


@pytest.mark.slow
def test_it_learns_a_handful_of_faces(trial, tmp_path):
    fitted = fit(trial.build(epochs=15, learning_rate=5e-4), trial.data(), CPU, 0, tmp_path)
    first_player = trial.build().stages()[0].players[0].name
    history = fitted.history[fitted.history["name"] == f"{first_player}/total"]
    losses = history["value"].tolist()
    assert np.mean(losses[-3:]) < 0.6 * losses[0], losses


def test_it_predicts_probabilities_and_is_what_its_checkpoint_says(trial, tmp_path):
    method = trial.build()
    dataset = trial.dataset(HELD_OUT)
    predicted = predict(method, dataset, CPU)
    assert predicted.features.shape[0] == len(dataset)
    for task, names in trial.classes.items():
        assert predicted.probabilities[task].shape == (len(dataset), len(names))
        np.testing.assert_allclose(predicted.probabilities[task].sum(1), 1, rtol=1e-5)

    save_checkpoint(tmp_path / "weights.safetensors", Checkpoint(method.own_state()))
    torch.manual_seed(1)
    other = build(trial.name, method.config, trial.classes, _adopted(trial))
    other.load_own_state(load_checkpoint(tmp_path / "weights.safetensors").tensors)
    again = predict(other, dataset, CPU)
    assert all((again.probabilities[task] == predicted.probabilities[task]).all() for task in trial.classes)


def _adopted(trial):
    return {need: trial._fresh_model(need) for need in method_class(trial.name).needs}


@pytest.mark.slow
def test_it_ends_bit_identically_after_kill_9_in_the_middle_of_an_epoch(trial, tmp_path: Path):
    child = os.fork()
    if child == 0:
        _train_until_killed(trial, tmp_path / "killed")
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    resumed = fit(trial.build(epochs=2), trial.data(), CPU, 0, tmp_path / "killed")
    whole = fit(trial.build(epochs=2), trial.data(), CPU, 0, tmp_path / "whole")
    assert equal(resumed.states["last"].tensors, whole.states["last"].tensors)


def _train_until_killed(trial, work):
    """Never return: the process dies before its fourth step, the second of the second epoch."""
    try:
        method = trial.build(epochs=2)
        step, done = method.step, 0

        def counted(batch, stage):
            nonlocal done
            if done == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            return step(batch, stage)

        method.step = counted
        fit(method, trial.data(), CPU.model_copy(update={"checkpoint_minutes": 0.0}), 0, work)
    finally:
        os._exit(1)
