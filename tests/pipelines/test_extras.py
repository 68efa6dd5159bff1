"""Methods that read what is measured on faces: it is measured once, and the pictures of a network are left out."""

from pathlib import Path

import numpy as np
import pytest
import torch

from openfer.errors import DataError, ParameterError
from openfer.methods.contract import EXTRA_SHAPES, NO_EXTRAS
from openfer.methods.declaration import METHODS
from openfer.methods.registry import build
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.nn.open_features_settings import OpenFeaturesSettings
from openfer.pipelines.extras import EXTRAS, extra_array
from openfer.pipelines.sources import Source, faces_for
from openfer.training.config import ImageSettings
from openfer.training.open_features import open_features
from tests.conftest import TinyFaces
from tests.methods.trial import dlib_weights, measured
from tests.pipelines.tiny_project import METHOD, TinyProject, tables

FLOORS = ("geometry", "probe")


def test_every_extra_that_a_method_may_ask_for_is_described() -> None:
    assert set(EXTRAS) == set(EXTRA_SHAPES)
    assert {extra for name in METHODS.names() for extra in METHODS[name].extras} <= set(EXTRAS)


@pytest.mark.parametrize("name", ["geometry", "open_features"])
def test_a_mirrored_face_comes_with_what_was_measured_on_its_mirror_image(name: str, tiny_faces: TinyFaces) -> None:
    table = measured(name, tiny_faces.store)
    rows, split = tables("a", tiny_faces)
    source = Source(rows, tiny_faces.store, split, ("expression",), {name: table})
    classes = {"expression": tiny_faces.classes("expression")}
    images = ImageSettings(crop=64, flip=True)
    faces = faces_for([source], "train", classes, images, 0, augmented=True, decodes=False)
    sides = extra_array(name, table, source.role("train")["sample_id"])
    assert sides.shape == (28, 2, *EXTRA_SHAPES[name])
    came = np.stack([faces[0, i].extras[name].numpy() for i in range(28)])
    mirrored = [(came[i] == sides[i, 1]).all() for i in range(28)]
    assert 5 < sum(mirrored) < 23  # of 28 with probability one half
    assert all((came[i] == sides[i, int(mirrored[i])]).all() for i in range(28))
    assert not any(faces[0, i].pixels.any() for i in range(3))


def test_open_features_of_a_face_are_not_those_of_another_and_of_its_mirror_image_are_alike(
    tiny_faces: TinyFaces,
) -> None:
    table = measured("open_features", tiny_faces.store)
    own, mirrored = (np.stack([*table[side]]).astype(float) for side in ("features", "mirrored_features"))
    distances = np.linalg.norm(own[:, None] - own[None], axis=2)
    assert np.median(distances[~np.eye(len(own), dtype=bool)]) > 0
    cells = own.reshape(len(own), -1, 3, 3)[..., ::-1].reshape(own.shape)  # the cells of the mirror image change sides
    closest = np.linalg.norm(mirrored[:, None] - cells[None], axis=2).argmin(1)
    assert (closest == np.arange(len(own))).mean() > 0.5  # by chance 0.02; measured 0.89


@pytest.mark.parametrize("name", FLOORS)
def test_a_face_without_what_the_method_reads_is_said(name: str) -> None:
    method = build(name, {}, {"expression": ("anger", "neutral")}).eval()
    with pytest.raises(DataError, match=f"{name} was given faces without {METHODS[name].extras[0]}"):
        method(torch.zeros(2, 3, 64, 64), NO_EXTRAS)


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOORS)
def test_a_floor_is_trained_on_what_is_measured_once(name: str, tiny_faces: TinyFaces, tmp_path: Path) -> None:
    project = TinyProject(tmp_path)
    project.bring("a", tiny_faces)
    block = {**METHOD, "method": name, "settings": {"schedule": {"epochs": 5, "batch_size": 14, "learning_rate": 0.01}}}
    measure = {"initialisation": dlib_weights().model_dump(), "side": 72}
    parameters = {name: block, "open_features": measure}
    ran = project.method(name, parameters)
    extra = METHODS[name].extras[0]
    assert f"a.measure_{extra}" in ran
    assert not any("grad_cam" in node for node in ran)
    assert project.method(name, {**parameters, name: {**block, "seed": 1}})[0] != f"a.measure_{extra}"
    assert project.method(name, parameters) == []


def test_open_features_of_weights_whose_normalisation_nobody_states_are_refused(tiny_faces: TinyFaces) -> None:
    settings = OpenFeaturesSettings(initialisation=InitialisationSettings(backbone="weights/mine.pth"))
    with pytest.raises(ParameterError, match=r"is 'weights/mine\.pth'; give a name of weights\.yml whose entry"):
        open_features(settings, tiny_faces.store)


def test_an_extra_of_other_faces_is_told_with_its_remedy(tiny_faces: TinyFaces) -> None:
    table = measured("geometry", tiny_faces.store)
    with pytest.raises(DataError, match=r"1 of 2 faces have no geometry.*delete its table and run the same command"):
        extra_array("geometry", table.iloc[1:], table["sample_id"].head(2))
