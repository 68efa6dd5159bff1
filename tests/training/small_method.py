"""A method small enough to train hundreds of steps in a test, and painted faces that it can learn.

It has what breaks exact resumption where the trainer forgets it: batch statistics, dropout, a random
permutation, two players, one of them without decay.
"""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from openfer.io.face_store import Face, FaceStore, FaceStoreWriter
from openfer.methods.contract import Method, Player, Prediction, Schedule, Stage, total
from openfer.methods.declaration import Declaration
from openfer.parameters import Settings
from openfer.training import ranks
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.data import FaceDataset
from openfer.training.loop import FitData, fit

CLASSES = {"expression": ("neutral", "happiness", "sadness")}
COUNT = 23
EPOCHS = 3
STEPS = 3
"""Of 23 faces 17 train in batches of 7: steps of 7, 7 and 3 samples."""


class SmallSettings(Settings):
    schedule: Schedule = Schedule(epochs=EPOCHS, batch_size=7, learning_rate=0.01, milestones=(2,))


class SmallMethod(Method):
    declared = Declaration("small", SmallSettings, lambda: SmallMethod)
    config: SmallSettings

    def __init__(self, config=SmallSettings(), classes=CLASSES):  # noqa: B008 - settings cannot change
        super().__init__(config, classes)
        # without a bias: its gradient is zero up to rounding, of which Adam makes steps of full length
        convolution = nn.Conv2d(3, 8, 3, stride=2, bias=False)
        self.trunk = nn.Sequential(convolution, nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3))
        self.head = nn.Linear(8, len(self.classes["expression"]))
        self.opponent = nn.Linear(8, 1)

    def stages(self):
        main = (*self.trunk.parameters(), *self.head.parameters())
        opponent = Player("opponent", tuple(self.opponent.parameters()), decays=False)
        return (Stage("only", self.config.schedule, (Player("main", main), opponent)),)

    def step(self, batch, stage):
        feature = self.trunk(batch.images).mean((2, 3))
        classification = F.cross_entropy(self.head(feature), batch.labels["expression"], ignore_index=-1)
        shuffled = feature[torch.randperm(len(feature), device=feature.device)]
        main = total({"classification": classification, "confusion": 0.1 * self.opponent(shuffled).mean()})
        return {
            "main": main | {"watch/norm": feature.detach().norm()},
            "opponent": total({"opposition": (self.opponent(feature.detach()) - 1).square().mean()}),
        }

    def forward(self, images):
        feature = self.trunk(images).mean((2, 3))
        return Prediction({"expression": self.head(feature)}, feature)

    def backbone(self):
        return self.trunk


class DiesOnTheSecond(SmallMethod):
    """Of several processes that train it the second is killed before step ``after`` of the run."""

    def __init__(self, after):
        super().__init__()
        self._left = after

    def step(self, batch, stage):
        self._left -= 1
        if self._left < 0 and not ranks.is_first():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(batch, stage)


def painted_store(folder: Path, count: int = COUNT, size: int = 24) -> FaceStore:
    """Noise with a cast of red, green or blue: the class is the colour."""
    draw = np.random.default_rng(0)
    with FaceStoreWriter(folder) as writer:
        for number in range(count):
            image = draw.integers(0, 200, (size, size, 3), dtype=np.uint8)
            image[..., number % 3] += 55
            writer.add(Face(f"sample{number:03d}", image))
    return FaceStore(folder)


def faces(store: FaceStore, rows, *, training=False, labels=None, crop=20) -> FaceDataset:
    rows = np.asarray(rows)
    labels = rows % 3 if labels is None else labels
    return FaceDataset(store, rows, {"expression": labels}, ImageSettings(crop=crop), seed=5, training=training)


def fit_data(store: FaceStore, test=False) -> FitData:
    training, held_out = range(17), range(17, COUNT)
    held = faces(store, held_out)
    return FitData(faces(store, training, training=True), held, held if test else None)


def fresh() -> SmallMethod:
    torch.manual_seed(0)
    return SmallMethod()


def train(store: FaceStore, work: Path, method=None, *, test=False, tracker=None, label=None, **config):
    settings = TrainingConfig.model_validate({"device": "cpu", "precision": "float32", "workers": 0} | config)
    return fit(method or fresh(), fit_data(store, test), settings, 3, work, tracker, label)


def interrupt(work: Path, store: FaceStore, after: int, method=None, **config) -> None:
    """Train, and break off before step ``after`` of the run."""
    method = method or fresh()
    step, done = method.step, 0

    def breaking(batch, stage):
        nonlocal done
        if done == after:
            raise KeyboardInterrupt
        done += 1
        return step(batch, stage)

    method.step = breaking
    with pytest.raises(KeyboardInterrupt):
        train(store, work, method, **config)


def same_tensors(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
