"""Every registered method becomes one file that answers as it does."""

import numpy as np
import pytest
import torch

from openfer.errors import ExportError
from openfer.export.faces import given
from openfer.export.model_file import card_of
from openfer.inference.onnx_model import OnnxModel
from openfer.methods.declaration import METHODS
from tests.export.made import FACTS, file_of, network_of
from tests.methods.trial import LABELLED
from tests.pipelines.conftest import ROOT

ANSWERING = [n for n in METHODS if set(METHODS[n].tasks_of(METHODS[n].settings())) & set(LABELLED)]
ASKED = 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ANSWERING)
def test_a_file_answers_as_the_method_does_for_another_number_of_faces(name, tiny_faces, tmp_path):
    made, network, faces = file_of(name, tiny_faces)
    assert str(ROOT).encode() not in made, "the file names folders of the machine that made it"
    (tmp_path / "model.onnx").write_bytes(made)
    model = OnnxModel(tmp_path / "model.onnx", threads=1)
    card = model.card
    assert (card.method, card.task, card.classes) == (name, *next(iter(network.method.classes.items())))
    assert card.gives == network.method.declared.regression_targets
    assert card.parity.n == card.accuracy.n == len(faces)
    assert card.parity.largest_difference < 1e-4
    assert card.parity.equal_answers == 1
    for asked in (1, ASKED):
        inputs = given(faces, list(card.inputs), card.task, range(asked)).inputs
        found = model.predict(inputs)
        with torch.no_grad():
            expected = [answer.numpy() for answer in network(*map(torch.from_numpy, inputs.values()))]
        answers = [found.probabilities, *found.further.values(), *found.values.values()]
        assert [answer.shape for answer in answers] == [(asked, *shape) for shape in card.outputs.values()]
        for one, other in zip(answers, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
    assert len(np.unique(found.probabilities.round(5), axis=0)) > 1, "all faces get the same answer"


@pytest.mark.parametrize("name", sorted(set(METHODS) - set(ANSWERING)))
def test_a_method_without_classes_is_refused(name, tiny_faces):
    network, _ = network_of(name, tiny_faces)
    with pytest.raises(ExportError, match=f"{name} draws or codes faces"):
        card_of("x-s0-f0-abc123", network, FACTS, name, None, [])
