"""`images.channels: bgr`: a network gets blue first in training, prediction, model files and MLflow's model alike."""

import numpy as np
import torch
from small_method import CLASSES, faces, fresh, painted_store

from openfer.export.graph import Answering
from openfer.pipelines.publish import classifier
from openfer.training import batches
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.data import FaceDataset
from openfer.training.device import resolve
from openfer.training.predict import predict

CONFIG = TrainingConfig(device="cpu", precision="float32", workers=0)
NORMALISED = {"mean": (0.5, 0.4, 0.3), "std": (0.3, 0.2, 0.1)}
RGB = ImageSettings(crop=20, **NORMALISED)
BGR = ImageSettings(crop=20, channels="bgr", **NORMALISED)


def of(store, images):
    plain = faces(store, range(9))
    return FaceDataset(store, plain.rows, plain.labels, images, 0, training=False)


def reading_blue_first():
    """The same method with its first layer turned, so that it answers to BGR as the other does to RGB."""
    method = fresh()
    method.trunk[0].weight.data = method.trunk[0].weight.data.flip(1)
    return method.eval()


def test_a_batch_has_the_channels_in_the_other_order_normalised_by_their_own_values(tmp_path):
    store = painted_store(tmp_path / "store")
    plan = resolve(CONFIG)
    (rgb,) = batches.Loader(of(store, RGB), plan).batches([[(0, 0), (0, 1)]])
    (bgr,) = batches.Loader(of(store, BGR), plan).batches([[(0, 0), (0, 1)]])
    assert torch.equal(bgr.images, rgb.images[:, [2, 1, 0]])
    assert not torch.equal(bgr.images, rgb.images)
    assert bgr.images.is_contiguous(memory_format=plan.memory_format)


def test_predictions_and_both_published_models_turn_the_channels(tmp_path):
    store = painted_store(tmp_path / "store")
    expected = predict(fresh(), of(store, RGB), CONFIG).probabilities["expression"]
    method = reading_blue_first()
    np.testing.assert_allclose(predict(method, of(store, BGR), CONFIG).probabilities["expression"], expected, atol=1e-5)

    stored = np.stack([store.image(row)[2:22, 2:22] for row in range(9)])
    with torch.no_grad():
        (exported,) = Answering(method, BGR)(torch.from_numpy(stored))
        in_mlflow = classifier(method, BGR)(torch.from_numpy(stored.transpose(0, 3, 1, 2) / 255).float())
    assert exported.shape == in_mlflow.shape == (9, len(CLASSES["expression"]))
    np.testing.assert_allclose(exported.numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(in_mlflow.numpy(), expected, atol=1e-5)
