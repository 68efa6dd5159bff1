"""A model file is checked when it is opened, and what it is given when it is asked."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from openfer.errors import CheckpointError, DataError
from openfer.inference.card import CARD, ModelCard
from openfer.inference.onnx_model import OnnxModel
from tests.inference.made_models import card


def changed(model_file: Path, path: Path, text: str | None) -> Path:
    """Write a copy of a model file with another card, or without one."""
    model = onnx.load(model_file)
    del model.metadata_props[:]
    if text is not None:
        entry = model.metadata_props.add()
        entry.key, entry.value = CARD, text
    onnx.save(model, path)
    return path


def test_a_file_that_is_no_model_of_openfer_is_refused(model_file: Path, tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no graph")
    (tmp_path / "half.onnx").write_bytes(model_file.read_bytes()[: model_file.stat().st_size // 2])
    for name in ("text", "half"):
        with pytest.raises(CheckpointError, match=rf"{name}\.onnx \(\d+ bytes\) is not an ONNX file, or damaged"):
            OnnxModel(tmp_path / f"{name}.onnx")
    with pytest.raises(CheckpointError, match="does not exist"):
        OnnxModel(tmp_path / "nothing.onnx")
    with pytest.raises(CheckpointError, match="is an ONNX file without a card of openfer"):
        OnnxModel(changed(model_file, tmp_path / "bare.onnx", None))
    with pytest.raises(CheckpointError, match=r"the card of .* is not one of this version of openfer \(classes"):
        OnnxModel(changed(model_file, tmp_path / "old.onnx", '{"slug": "a", "method": "b", "variant": "c"}'))
    pixels = card(input="faces").model_dump_json()
    with pytest.raises(CheckpointError, match=r"has inputs and outputs \['geometry', 'probabilities'\]"):
        OnnxModel(changed(model_file, tmp_path / "other.onnx", pixels))


def test_a_card_is_the_same_after_a_file(model_file: Path) -> None:
    found = OnnxModel(model_file).card
    assert found == card()
    assert ModelCard.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"faces": np.zeros((1, 128, 128, 3), np.uint8)}, r"takes the inputs \['geometry'\], given \['faces'\]"),
        ({}, r"given \[\]"),
        ({"geometry": np.zeros((1, 1486))}, r"is float64 of shape \(1, 1486\); give float32 of shape \(n, 1486\)"),
        ({"geometry": np.zeros(1486, np.float32)}, r"of shape \(1486,\)"),
        ({"geometry": np.zeros((2, 52), np.float32)}, r"of shape \(2, 52\)"),
    ],
)
def test_inputs_of_another_kind_are_refused_in_words(model_file: Path, inputs, words: str) -> None:
    with pytest.raises(DataError, match=words):
        OnnxModel(model_file).predict(inputs)


def test_no_faces_have_no_answers(model_file: Path) -> None:
    found = OnnxModel(model_file).probabilities(np.zeros((0, 1486), np.float32))
    assert (found.shape, found.dtype) == ((0, 7), np.float32)


def test_inputs_and_outputs_follow_from_the_card() -> None:
    made = card(input="faces", extras=("landmarks",), gives=("valence", "arousal"), further_classes={"age": ("a", "b")})
    assert made.inputs == {"faces": ("uint8", (128, 128, 3)), "landmarks": ("float32", (68, 3))}
    assert made.outputs == {"probabilities": (7,), "probabilities_age": (2,), "valence": (), "arousal": ()}
