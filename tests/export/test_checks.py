"""What is checked before a model file is given away, and its copy of 8-bit integers."""

import copy

import numpy as np
import pytest
import torch

from openfer.errors import ExportError
from openfer.export import quantise
from openfer.export.faces import given, spread
from openfer.export.measured import parity
from openfer.export.model_file import crop_of
from openfer.export.onnx_file import onnx_graph
from openfer.export.quantise import quantised
from openfer.faces.template import template_points
from openfer.inference.onnx_model import OnnxModel
from openfer.io.face_store import Face, FaceStore, FaceStoreWriter
from openfer.training.config import ImageSettings
from openfer.training.data import ConcatFaces, FaceDataset
from tests.export.made import file_of


@pytest.fixture(scope="module")
def made(tiny_faces, tmp_path_factory):
    """A model file of Baseline, its network and its faces."""
    content, network, faces = file_of("baseline", tiny_faces)
    path = tmp_path_factory.mktemp("made") / "model.onnx"
    path.write_bytes(content)
    return OnnxModel(path, threads=1), network, faces


@pytest.mark.slow
def test_a_file_that_answers_otherwise_than_the_network_is_refused(made) -> None:
    model, network, faces = made
    assert parity(network, model, faces) == model.card.parity
    other = copy.deepcopy(network)
    with torch.no_grad():
        next(other.parameters()).mul_(1.05)
    with pytest.raises(ExportError, match=r"answers differ from those in torch by up to .* over 14 faces, more than"):
        parity(other, model, faces)
    with torch.no_grad():
        next(other.parameters()).fill_(torch.nan)
    with pytest.raises(ExportError, match="by up to nan"):
        parity(other, model, faces)


@pytest.mark.slow
def test_integers_answer_nearly_as_the_numbers_do_in_a_quarter_of_the_bytes(made, tmp_path) -> None:
    model, _, faces = made
    (tmp_path / "int8.onnx").write_bytes(quantised(model.path, faces, faces, accepts_loss=True))
    small = OnnxModel(tmp_path / "int8.onnx", threads=1)
    assert small.card.quantised.calibration_faces == len(faces)
    assert small.card.quantised.float32 == model.card.accuracy
    assert small.card.parity is None
    assert small.path.stat().st_size < 0.3 * model.path.stat().st_size
    inputs = given(faces, ["faces"], "expression", range(len(faces))).inputs
    one, other = model.predict(inputs).probabilities, small.predict(inputs).probabilities
    assert np.abs(one - other).max() < 0.1
    assert not (one == other).all()
    labels = faces.labels["expression"]
    assert small.card.accuracy.value == pytest.approx((other.argmax(1) == labels).mean())


@pytest.mark.slow
def test_a_file_that_was_tested_on_other_faces_is_not_compared(made, monkeypatch) -> None:
    model, _, faces = made
    monkeypatch.setattr(quantise, "CALIBRATION_FACES", 2)
    with pytest.raises(ExportError, match="was tested on 14 faces, now there are others"):
        quantised(model.path, faces, _half(faces), accepts_loss=True)


def _half(faces):
    part = faces.parts[0]
    labels = {task: values[:7] for task, values in part.labels.items()}
    return ConcatFaces([FaceDataset(part.store, part.rows[:7], labels, part.images, 0, training=False)])


@pytest.mark.slow
def test_one_example_face_would_fix_the_number_of_faces(made) -> None:
    _, network, _ = made
    with pytest.raises(ExportError, match="exported with 1 example faces, which fixes their number"):
        onnx_graph(network, [torch.zeros(1, 64, 64, 3, dtype=torch.uint8)])


def test_faces_are_chosen_evenly() -> None:
    assert spread(5, 200) == [0, 1, 2, 3, 4]
    assert spread(1000, 3) == [0, 499, 999]


@pytest.mark.parametrize("frame", ["face", "tight"])
def test_the_crop_is_the_frame_that_stored_faces_were_aligned_to(frame, tmp_path) -> None:
    pixels, shaken = np.zeros((80, 80, 3), np.uint8), np.random.default_rng(0).normal(0, 1.0, (20, 5, 2))
    with FaceStoreWriter(tmp_path / "store") as writer:
        for number, shift in enumerate(shaken):
            writer.add(Face(f"f{number}", pixels, points5=template_points(80, frame) + shift))
    store = FaceStore(tmp_path / "store")
    resized = crop_of([store], ImageSettings(size=120, crop=104), whole=False)
    assert resized.size == 104
    np.testing.assert_allclose(resized.template, template_points(120, frame) - 8, atol=1e-3)
    whole = crop_of([store], ImageSettings(size=120, crop=104), whole=True)
    np.testing.assert_allclose(whole.template, template_points(80, frame), atol=1e-3)


def test_faces_without_points_are_taken_for_aligned(tmp_path) -> None:
    with FaceStoreWriter(tmp_path / "store") as writer:
        writer.add(Face("f", np.zeros((48, 48, 3), np.uint8)))
    found = crop_of([FaceStore(tmp_path / "store")], ImageSettings(crop=40), whole=False)
    np.testing.assert_allclose(found.template, template_points(48) - 4, atol=1e-3)
