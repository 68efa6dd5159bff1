"""Prediction does not depend on how samples are batched."""

import numpy as np
import pytest
from small_method import COUNT, faces, fresh, painted_store

from openfer.training.config import TrainingConfig
from openfer.training.predict import predict


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return faces(painted_store(tmp_path_factory.mktemp("faces") / "store"), range(COUNT))


def config(precision="float32", workers=0):
    return TrainingConfig(device="cpu", precision=precision, workers=workers)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("bfloat16", 2e-2)])
def test_any_batch_size_gives_the_same_within_rounding(dataset, precision, tolerance):
    whole = predict(fresh(), dataset, config(precision))
    for batch_size in (1, 5):
        parts = predict(fresh(), dataset, config(precision), batch_size)
        np.testing.assert_allclose(parts.probabilities["expression"], whole.probabilities["expression"], atol=tolerance)
        np.testing.assert_allclose(parts.features, whole.features, atol=tolerance)


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
