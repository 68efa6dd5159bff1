"""Prediction does not depend on how samples are batched."""

import numpy as np
import pytest
from small_method import COUNT, faces, fresh, painted_store

from openfer.training import predict as predictor
from openfer.training.config import TrainingConfig
from openfer.training.predict import predict


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return faces(painted_store(tmp_path_factory.mktemp("faces") / "store"), range(COUNT))


def config(precision="float32", workers=0):
    return TrainingConfig(device="cpu", precision=precision, workers=workers)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 5e-7), ("bfloat16", 2**-8)])
def test_any_batch_size_gives_the_same_within_the_last_digit(dataset, precision, tolerance, monkeypatch):
    whole = predict(fresh(), dataset, config(precision))
    assert np.abs(whole.features).max() < 1  # so that a unit in the last place is at most the tolerance
    for batch_size in (1, 5):
        monkeypatch.setattr(predictor, "_BATCH_SIZE", batch_size)
        parts = predict(fresh(), dataset, config(precision))
        np.testing.assert_allclose(parts.features, whole.features, rtol=0, atol=tolerance)
        in_parts, at_once = parts.probabilities["expression"], whole.probabilities["expression"]
        np.testing.assert_allclose(in_parts, at_once, rtol=0, atol=tolerance)


def test_workers_change_nothing(dataset):
    alone, helped = predict(fresh(), dataset, config()), predict(fresh(), dataset, config(workers=2))
    assert (alone.probabilities["expression"] == helped.probabilities["expression"]).all()


def test_outputs_are_float32_probabilities_and_features(dataset):
    predicted = predict(fresh(), dataset, config("bfloat16"))
    assert predicted.probabilities["expression"].shape == (COUNT, 3)
    assert predicted.probabilities["expression"].dtype == predicted.features.dtype == np.float32
    np.testing.assert_allclose(predicted.probabilities["expression"].sum(1), 1, rtol=1e-5)


def test_prediction_moves_no_batch_statistics(dataset):
    method = fresh()
    before = {name: value.clone() for name, value in method.named_buffers()}
    predict(method, dataset, config())
    assert all((value == before[name]).all() for name, value in method.named_buffers())
