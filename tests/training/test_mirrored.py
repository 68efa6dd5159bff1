"""Predictions as means over a face and its mirror image."""

import numpy as np
import pytest
import torch
from tests.left_out import without_resume_files
from tests.methods.trial import HELD_OUT, Trial
from tests.pipelines.plans import project_plan

from openfer.faces.mirror import mirror_points
from openfer.training import batches
from openfer.training.config import TrainingConfig
from openfer.training.data import MIRRORED
from openfer.training.device import resolve
from openfer.training.loop import FitData, fit
from openfer.training.predict import predict

ALONE = TrainingConfig(device="cpu", precision="float32", workers=0, selections=("best_val",))
AVERAGED = ALONE.model_copy(update={"average_mirrored": True})


def side_of(method, faces, epoch):
    """Return what a method says of the faces, or of their mirror images."""
    keys = [[(epoch, index) for index in range(len(faces))]]
    (batch,) = batches.Loader(faces, resolve(ALONE)).batches(keys)
    with torch.inference_mode():
        return batch, method.eval()(*method.inputs(batch))


@pytest.mark.parametrize("name", ["baseline", "esr", "oadn", "probe", "addl_va"])
def test_probabilities_features_and_values_are_means_over_both_images(name, tiny_faces):
    trial = Trial(name, tiny_faces)
    faces, method = trial.dataset(HELD_OUT), trial.build()
    found = predict(method, faces, AVERAGED)
    (_, one), (_, other) = (side_of(method, faces, epoch) for epoch in (0, MIRRORED))
    for task, logits in one.logits.items():
        expected = (logits.softmax(1) + other.logits[task].softmax(1)) / 2
        np.testing.assert_allclose(found.probabilities[task], expected, atol=1e-6)
    assert not torch.equal(one.features, other.features)
    np.testing.assert_allclose(found.features, (one.features + other.features) / 2, rtol=1e-4, atol=1e-6)
    for target, values in one.values.items():
        np.testing.assert_allclose(found.values[target], (values + other.values[target]) / 2, atol=1e-6)


def test_what_a_method_sees_beside_pixels_is_mirrored_with_them(tiny_faces):
    faces = Trial("oadn", tiny_faces).dataset(HELD_OUT)
    one, other = faces[0, 2], faces[MIRRORED, 2]
    assert torch.equal(other.pixels, one.pixels.flip(2))
    expected = mirror_points(one.extras["landmarks"].numpy(), faces.images.crop)
    np.testing.assert_allclose(other.extras["landmarks"], expected, atol=1e-4)
    features = Trial("probe", tiny_faces).dataset(HELD_OUT)
    assert torch.equal(
        features[MIRRORED, 2].extras["open_features"], torch.from_numpy(features.extras["open_features"][2, 1])
    )


def test_the_scores_that_choose_an_epoch_are_those_of_the_means(tiny_faces, tmp_path):
    trial = Trial("baseline", tiny_faces)
    method, validation = trial.build(), trial.dataset(np.arange(28))
    data = FitData(trial.dataset(np.arange(28, 56), training=True), validation)
    with without_resume_files():
        fitted = fit(method, data, AVERAGED, 0, tmp_path)
    answers = predict(method, validation, AVERAGED).probabilities["expression"].argmax(1)
    accuracy = (answers == validation.labels["expression"]).mean()
    assert fitted.states["best_val"].facts["validation"] == pytest.approx(accuracy)


def test_tables_tell_such_a_run_from_one_that_predicts_from_the_face_alone():
    training = {"average_mirrored": True}
    (run,) = project_plan(baseline={"training": training}).requested["baseline"]
    assert run.settings.row == "baseline mirror-averaged"
    (plain,) = project_plan().requested["baseline"]
    assert plain.settings.row == "baseline"
    assert run.slug != plain.slug
