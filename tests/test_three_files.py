"""A new method and a new dataset are three files each: code, parameters and a test. This test is the third."""

import importlib
import sys
from collections.abc import Iterator
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from openfer.datasets.registry import READERS
from openfer.io.runs import find_runs
from openfer.methods.declaration import METHODS
from tests.pipelines.in_process import Workshop

READER = '''
"""Toy faces: `<partition>/<person>_<expression>.png`."""

from pathlib import PurePosixPath

import pandas as pd

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.tree import Tree
from openfer.io.images import IMAGES


class ToyFaces(Reader):
    """Reads toy faces."""

    about = About(title="Toy faces", licence="CC0", citation="none", access="made by a test")

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return a row per image."""
        paths = [PurePosixPath(path) for path in tree.with_suffix("", IMAGES)]
        subject, expression = zip(*(path.stem.split("_") for path in paths), strict=True)
        rows = {"path": map(str, paths), "partition": [path.parts[0] for path in paths]}
        return pd.DataFrame(rows | {"subject": subject, "expression": expression}, dtype=object)

    def expected(self) -> Expected:
        """Return the size of a complete copy."""
        return Expected(images={"train": 24, "test": 8})


READER = ToyFaces
'''

READER_PARAMETERS = """
toy_faces:
  reader: toy_faces
  root: raw/toy_faces
  faces: {align: whole, size: 32, workers: 1}
  protocol: {kind: official, validation_share: 0.3}
"""

METHOD = '''
"""Toy method: two convolutions."""

from openfer.methods.declaration import Declaration
from openfer.methods.schedules import Schedule
from openfer.parameters import Settings


class ToySettings(Settings):
    """Parameters of the toy method."""

    width: int = 8
    schedule: Schedule = Schedule(epochs=2, batch_size=8, learning_rate=0.01)


def _network():
    import torch.nn.functional as F
    from torch import nn

    from openfer.methods.contract import Method, Player, Prediction, Stage, total

    class Toy(Method):
        declared = METHOD

        def __init__(self, config, classes):
            super().__init__(config, classes)
            first = nn.Sequential(nn.Conv2d(3, config.width, 3, stride=2), nn.ReLU())
            second = nn.Sequential(nn.Conv2d(config.width, config.width, 3), nn.ReLU())
            self.trunk = nn.Sequential(first, second)
            self.head = nn.Linear(config.width, len(self.classes["expression"]))

        def stages(self):
            return (Stage("only", self.config.schedule, (Player("main", tuple(self.parameters())),)),)

        def step(self, batch, stage):
            logits = self(batch.images).logits["expression"]
            return {"main": total({"classification": F.cross_entropy(logits, batch.labels["expression"])})}

        def forward(self, images):
            feature = self.trunk(images).mean((2, 3))
            return Prediction({"expression": self.head(feature)}, feature)

        def backbone(self):
            return self.trunk

    return Toy


METHOD = Declaration(
    name="toy",
    settings=ToySettings,
    network=_network,
    variants={"toy": {}, "toy_wide": {"width": 16}},
    variant_of=lambda settings: "toy_wide" if settings.width == 16 else "toy",
)
'''

METHOD_PARAMETERS = """
toy:
  method: toy
  datasets: [toy_faces]
  seed: 0
  images: {size: 32, crop: 28}
  settings: {width: 4}
"""

pytestmark = pytest.mark.slow

EXPRESSIONS = ("happiness", "sadness")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A project with the files of a method and of a dataset beside those that openfer has."""
    workshop = Workshop.new(tmp_path_factory.mktemp("three_files") / "project")
    code, raw = workshop.path / "code", workshop.raw("toy_faces")
    packages = {"openfer.methods.declared": ("toy", METHOD), "openfer.datasets.readers": ("toy_faces", READER)}
    draw = np.random.default_rng(0)
    for person in range(16):
        folder = raw / ("train" if person < 12 else "test")
        folder.mkdir(parents=True, exist_ok=True)
        for number, expression in enumerate(EXPRESSIONS):
            image = draw.integers(0, 200, (32, 32, 3), dtype=np.uint8)
            image[..., number] += 55
            Image.fromarray(image).save(folder / f"p{person:02d}_{expression}.png")
    parameters = workshop.path / "conf/base/parameters"
    (parameters / "toy.yml").write_text(METHOD_PARAMETERS)
    (parameters / "toy_faces.yml").write_text(READER_PARAMETERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workshop.path)
        for package, (name, text) in packages.items():
            folder = code / package
            folder.mkdir(parents=True)
            (folder / f"{name}.py").write_text(dedent(text).lstrip())
            found = importlib.import_module(package)
            patch.setattr(found, "__path__", [*found.__path__, str(folder)])
        yield workshop
    for package, (name, _) in packages.items():
        sys.modules.pop(f"{package}.{name}", None)


def test_a_dataset_is_known_by_its_file_and_ingested(workshop: Workshop) -> None:
    assert "toy_faces" in READERS
    workshop.run("ingest", "toy_faces")
    rows = workshop.rows("toy_faces")
    assert len(rows) == 32
    assert set(rows["expression"]) == set(EXPRESSIONS)
    assert len(workshop.quarantine("toy_faces")) == 0
    assert set(workshop.split("toy_faces")["role"]) == {"train", "val", "test"}


def test_a_method_is_known_by_its_file_planned_and_trained_to_a_results_table(workshop: Workshop) -> None:
    assert "toy" in METHODS
    ran = workshop.run("toy", "toy_faces", toy={"variant": "toy_wide"})
    (run,) = find_runs(workshop.path / "data")
    assert run.name.startswith("toy-s0-f0-")
    assert {f"toy.{run.name}.{node}" for node in ("train", "predict", "evaluate", "finish")} <= set(ran)
    record = run.record
    assert record is not None
    assert (record.state, record.row, record.settings["settings"]["width"]) == ("done", "toy_wide", 16)
    results = pd.read_csv(workshop.path / "data/08_reporting/toy" / run.name / "results.csv")
    assert results["n"].tolist() == [8, 8]
    assert results["accuracy"].between(0, 1).all()
