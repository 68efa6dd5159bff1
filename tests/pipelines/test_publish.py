"""What is published is the trained method, for any number of faces."""

import pytest
import torch

from openfer.pipelines.publish import classifier
from openfer.training.config import ImageSettings
from tests.methods.trial import TRAIN, Trial

IMAGES = ImageSettings(crop=64, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
EXPORTED, ASKED = 2, 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["addl_va", "geometry"])  # tests/export has all methods, by the same path
def test_an_exported_model_answers_as_the_method_does_for_another_number_of_faces(name, tiny_faces):
    trial = Trial(name, tiny_faces)
    method, faces = trial.build().eval(), trial.dataset(TRAIN)
    samples = [faces[0, number] for number in range(ASKED)]
    rgb = torch.stack([sample[0] for sample in samples]).float() / 255
    extras = [torch.stack([sample[2][extra] for sample in samples]) for extra in method.declared.extras]
    network = classifier(method, IMAGES)
    any_number = tuple({0: torch.export.Dim.AUTO} for _ in (rgb, *extras))
    example = tuple(value[:EXPORTED] for value in (rgb, *extras))
    program = torch.export.export(network, example, dynamic_shapes=any_number).module()
    normalised = (rgb - torch.tensor(IMAGES.mean)[:, None, None]) / torch.tensor(IMAGES.std)[:, None, None]
    with torch.no_grad():
        found = program(rgb, *extras)
        inputs = (normalised, dict(zip(method.declared.extras, extras, strict=True))) if extras else (normalised,)
        prediction = method(*inputs)
    shares = [prediction.logits[task].softmax(1) for task in method.classes]
    expected = torch.cat(
        [*shares, *(prediction.values[name][:, None] for name in method.declared.regression_targets)], dim=1
    )
    assert found.shape[0] == ASKED
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
