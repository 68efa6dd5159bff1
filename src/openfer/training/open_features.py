"""Features of faces from an openly licensed network that is not trained any further."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from openfer.errors import ParameterError
from openfer.io.face_store import FaceStore
from openfer.nn.dlib_resnet import DlibResNet29Trunk
from openfer.nn.initialisation import initialise
from openfer.nn.open_features_settings import OpenFeaturesSettings
from openfer.training.batches import Loader, testing_batches
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.data import FaceDataset
from openfer.training.device import resolve

_CELLS = 3
_BATCH_SIZE = 64


def images_of(settings: OpenFeaturesSettings) -> ImageSettings:
    """Return how the network's input is cut and normalised.

    Raises:
        ParameterError: if the manifest does not say how the network's images are normalised.
    """
    entry = settings.initialisation.entry
    if entry is None or entry.mean is None or entry.std is None:
        raise ParameterError(
            f"open_features.initialisation.backbone is {settings.initialisation.backbone!r}; give a name of "
            "weights.yml whose entry states mean and std, such as dlib"
        )
    return ImageSettings(size=settings.side, crop=settings.side, mean=entry.mean, std=entry.std)


class OpenFeatures(nn.Module):
    """The network that measures the extra ``open_features``.

    Args:
        settings: weights and size.

    Raises:
        CheckpointError: if the weights are missing or do not fit.
    """

    def __init__(self, settings: OpenFeaturesSettings) -> None:
        super().__init__()
        self.trunk = DlibResNet29Trunk(stages=3)
        initialise(self.trunk, settings.initialisation)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Return the features, (B, :data:`openfer.nn.open_features_settings.OPEN_FEATURES`), of (B, 3, side, side)."""
        return torch.cat([F.adaptive_avg_pool2d(tap, _CELLS).flatten(1) for tap in self.trunk(images)[2:]], dim=1)


@torch.inference_mode()
def open_features(settings: OpenFeaturesSettings, faces: FaceStore) -> np.ndarray:
    """Return the features of all faces and of their mirror images.

    Args:
        settings: weights and size.
        faces: the store.

    Returns:
        float16, (N, 2, :data:`openfer.nn.open_features_settings.OPEN_FEATURES`), in the order of the store.

    Raises:
        CheckpointError: if the weights are missing or do not fit.
        DataError: if an image is damaged.
        ParameterError: if the manifest does not say how the network's images are normalised.
    """
    images, plan = images_of(settings), resolve(TrainingConfig())
    network = OpenFeatures(settings)
    network.to(plan.device)
    network.to(memory_format=plan.memory_format)
    dataset = FaceDataset(faces, np.arange(len(faces)), {}, images, 0, training=False)
    batches = Loader(dataset, plan).batches(testing_batches(dataset, _BATCH_SIZE))

    def measured() -> Iterator[np.ndarray]:
        for batch in tqdm(batches, "open features", -(-len(faces) // _BATCH_SIZE), unit="batch"):
            with plan.autocast():
                sides = [network(side) for side in (batch.images, batch.images.flip(3))]
            yield torch.stack(sides, dim=1).half().cpu().numpy()

    return np.concatenate([*measured()])
