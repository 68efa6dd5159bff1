"""One registered method with rendered faces to try it on."""

import functools
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from tests.left_out import without_resume_files
from tests.methods.shallow import shallow_networks
from tests.pipelines.conftest import ROOT

from openfer.io.checkpoint import Checkpoint
from openfer.methods.contract import Schedule
from openfer.methods.declaration import METHODS
from openfer.methods.registry import build
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.nn.open_features_settings import OpenFeaturesSettings
from openfer.nn.undrawn import Undrawn
from openfer.nn.weight_manifest import with_weights
from openfer.parameters import Settings
from openfer.pipelines.extras import extra_array
from openfer.pipelines.geometry import measure_geometry
from openfer.pipelines.open_features import measure_open_features
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.data import FaceDataset
from openfer.training.loop import FitData, Fitted, fit
from openfer_faces.synthetic.circumplex import circumplex

LABELLED = ("expression", "gender", "race", "identity")
IMAGES = ImageSettings(crop=64, flip=False)
CPU = TrainingConfig(device="cpu", workers=0, selections=("last",))
TRAIN = np.r_[0:7, 28:35]
"""Seven expressions of a man and of a woman of another race: every task shows several classes."""

HELD_OUT = np.arange(49, 56)
LEAST_RATE = 2e-4
"""A method whose own learning rate is lower learns at this one, so that forty steps show it."""

ADAM = {"optimiser": "adam", "momentum": 0.0, "learning_rate": 1e-3}
"""In the place of an SGD whose rate is for large batches and many epochs."""


@dataclass(frozen=True)
class Trial:
    """One method with faces to try it on."""

    name: str
    faces: Any

    @property
    def declared(self):
        return METHODS[self.name]

    @property
    def classes(self):
        tasks = self.declared.tasks_of(self.declared.settings())
        return {task: self.faces.classes(task) for task in tasks if task in LABELLED}

    @cached_property
    def needed(self):
        """Fresh models of its prerequisites, by name."""
        names = self.declared.prerequisites_of(self.declared.settings())
        return {name: Trial(name, self.faces)._fresh() for name in names}

    def build(self, epochs=1, seed=0, **changes):
        """Build with fresh weights, the same for a seed, its own parameters but for some, and short schedules.

        Networks are shallow; who builds another of the same settings does it in :func:`shallow_networks`.
        """
        needed = self.needed  # made before the seed is set, for making it draws
        settings = self.declared.settings().model_copy(update=changes)
        if "factors" in type(settings).model_fields:
            known = tuple(factor for factor in settings.factors if factor in LABELLED)
            settings = settings.model_copy(update={"factors": known})
        if "growth" in type(settings).model_fields:
            # ESR's own SGD at 0.1 is for fifty epochs of batches of 32
            schedule = settings.schedule.model_copy(update=ADAM)
            settings = settings.model_copy(update={"branches": 2, "schedule": schedule})
        if "side" in type(settings).model_fields:
            settings = settings.model_copy(update={"side": IMAGES.crop})
        if "relabel_from" in type(settings).model_fields:  # SCN's rate is for batches of 1024
            schedule = settings.schedule.model_copy(update=ADAM)
            settings = settings.model_copy(update={"relabel_from": 1, "schedule": schedule})
        if "balance" in type(settings).model_fields:  # MA-Net's SGD is for batches of 128
            schedule = settings.schedule.model_copy(update=ADAM | {"learning_rate": 3e-4})
            settings = settings.model_copy(update={"schedule": schedule})
        if "blocks" in type(settings).model_fields:  # maps of 4 x 4 cells, and a rate for seven faces instead of 128
            schedule = settings.schedule.model_copy(update={"learning_rate": 0.1 * 7 / 128})
            settings = settings.model_copy(update={"blocks": (1, 1, 1, 1), "sigma": 0.168, "schedule": schedule})
        given = {name: needed[name] for name in self.declared.prerequisites_of(settings)}
        made = functools.partial(build, self.name, shortened(settings, epochs), self.classes, given)
        key = f"{seed} {shortened(settings, 1).model_dump_json()}"
        torch.manual_seed(seed)
        if key in self._drawn:
            with shallow_networks(), Undrawn():
                method = made()
            method.load_state_dict(self._drawn[key])
            return method
        with shallow_networks():
            method = made()
        self._drawn.clear()
        self._drawn[key] = {name: value.clone() for name, value in method.state_dict().items()}
        return method

    @cached_property
    def _drawn(self):
        """The weights of the method that was built last, by its seed and settings; drawing them takes longest."""
        return {}

    def data(self, times=1):
        """Return what trains, each face that many times, and what is held out."""
        return FitData(self.dataset(np.tile(TRAIN, times), training=True), self.dataset(HELD_OUT))

    def dataset(self, rows, training=False):
        labels = {task: self.faces.labels(task)[rows] for task in self.classes}
        extras = {name: self.extra(name)[rows] for name in self.declared.extras}
        targets = {name: values[rows] for name, values in self.values.items()}
        decodes = self.declared.looks_at_pixels
        return FaceDataset(self.faces.store, rows, labels, IMAGES, 0, training, extras, targets, decodes)

    @cached_property
    def values(self):
        """The true values of its regression targets, by name."""
        scenes = self.faces.scenes
        return {name: circumplex(scenes)[name].to_numpy() for name in self.declared.regression_targets}

    def extra(self, name):
        return extra_array(name, measured(name, self.faces.store), self.faces.scenes["sample_id"])

    def _fresh(self):
        model = self.build()
        facts = {"classes": model.classes, "config": model.config.model_dump(mode="json")}
        return Checkpoint(model.own_state(), facts)


def trained(method, data, work) -> Fitted:
    """Train a method as :data:`CPU` says, without resume files."""
    with without_resume_files():
        return fit(method, data, CPU, 0, work)


@functools.cache
def measured(name, store):
    """Return the table of an extra of all faces of a store."""
    if name == "landmarks":
        return store.table(["sample_id", "points68", "confidence68"])
    if name == "geometry":
        with tempfile.TemporaryDirectory() as work:
            return measure_geometry("tiny", store, Path(work))
    return measure_open_features(OpenFeaturesSettings(initialisation=dlib_weights()), store)


def dlib_weights():
    """Return the initialisation that ``backbone: dlib`` is with the manifest that openfer ships."""
    manifest = yaml.safe_load(
        (ROOT / "conf/base/weights.yml").read_text().replace("${globals:raw_root}", "data/01_raw")
    )
    block = with_weights({"m": {"initialisation": {"backbone": "dlib"}}}, manifest)["m"]["initialisation"]
    return InitialisationSettings.model_validate(block)


def shortened(value, epochs):
    """Return settings in which everything, however deep, has this many epochs, and a schedule batches of seven."""
    if isinstance(value, Schedule):
        rate = max(value.learning_rate, LEAST_RATE)
        short = {"epochs": epochs, "batch_size": 7, "learning_rate": rate}
        return value.model_copy(update=short | {"milestones": tuple(m for m in value.milestones if m < epochs)})
    if isinstance(value, Settings):
        parts = {name: shortened(part, epochs) for name, part in value}
        return value.model_copy(update=parts | ({"epochs": epochs} if "epochs" in parts else {}))
    if isinstance(value, tuple):
        return tuple(shortened(part, epochs) for part in value)
    if isinstance(value, dict):
        return {name: shortened(part, epochs) for name, part in value.items()}
    return value
