"""Trained-looking networks of registered methods, and model files of them."""

import torch

from openfer.export.graph import Answering
from openfer.export.model_file import card_of, crop_of, model_file
from openfer.nn.open_features_settings import OpenFeaturesSettings
from openfer.training import batches
from openfer.training.data import ConcatFaces, FaceDataset
from openfer.training.device import resolve
from openfer.training.open_features import OpenFeatures, images_of
from tests.methods.trial import CPU, IMAGES, TRAIN, Trial, dlib_weights

FACTS = {
    "selection": "last",
    "datasets": ["tiny"],
    "data_version": "0123456789ab",
    "n_train": len(TRAIN),
    "seed": 0,
    "initialisation": "random weights",
    "origin_of_weights": "random weights",
    "licences_of_data": ["CC0-1.0"],
    "licences_of_weights": [],
}


def network_of(name, tiny_faces):
    """Return a method's network for export, its batch normalisation acquainted with faces, and these faces."""
    trial = Trial(name, tiny_faces)
    method = trial.build()
    faces = trial.dataset(TRAIN)
    settle(method, faces)
    if method.declared.extras != ("open_features",):
        return Answering(method, IMAGES), ConcatFaces([faces])
    settings = OpenFeaturesSettings(initialisation=dlib_weights())
    images = images_of(settings)
    whole = FaceDataset(faces.store, TRAIN, faces.labels, images, 0, training=False)
    return Answering(method, images, OpenFeatures(settings)), ConcatFaces([whole])


_MADE = {}


def file_of(name, tiny_faces):
    """Return the bytes of a method's model file, its network, and the faces that it was made with; made once."""
    if name not in _MADE:
        _MADE[name] = _file_of(name, tiny_faces)
    return _MADE[name]


def _file_of(name, tiny_faces):
    network, faces = network_of(name, tiny_faces)
    crop = crop_of([tiny_faces.store], network.images, whole=network.input_names() == ["geometry"])
    card = card_of(f"{name}-s0-f0-abc123", network, FACTS, name, crop, ["a limit"])
    return model_file(network, card, faces, "test"), network, faces


@torch.no_grad()
def settle(method, faces):
    """Let batch normalisation know these faces: without statistics a deep network answers the same to all."""
    for layer in method.modules():
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            layer.momentum = 1.0
    (batch,) = batches.Loader(faces, resolve(CPU)).batches(batches.testing_batches(faces, len(faces)))
    method.train()(*method.inputs(batch))
    method.eval()
