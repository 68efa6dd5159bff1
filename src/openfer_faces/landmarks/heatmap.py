"""The regressor as a landmarker: crops brought to its size, maps decoded, and its checkpoint."""

from typing import Any

import numpy as np
import torch
from PIL import Image

from openfer.errors import CheckpointError
from openfer.io.checkpoint import Checkpoint
from openfer_faces.landmarks.contract import Crops
from openfer_faces.landmarks.network import HeatmapNetwork
from openfer_faces.landmarks.settings import HeatmapSettings
from openfer_faces.landmarks.train import find

LICENCE = "Apache-2.0 (trained on CC0 rendered faces)"
_KIND = "heatmap landmarks"


class Heatmap:
    """Points of the heat-map regressor; the score is the logit of each map's peak.

    Args:
        network: trained.
        settings: the ones it was trained with.
    """

    name = "heatmap"
    licence = LICENCE

    def __init__(self, network: HeatmapNetwork, settings: HeatmapSettings) -> None:
        self._network = network.eval().to(memory_format=torch.channels_last)
        self._settings = settings

    def find(self, crops: Crops) -> tuple[np.ndarray, np.ndarray]:
        """Return points (N, 68, 2) and peaks (N, 68)."""
        size = self._settings.input_size
        points, peaks = find(self._network, resized(crops, size))
        sides = np.array([len(crop) for crop in crops])[:, None, None]
        return points.numpy() * sides / size, peaks.numpy()


def resized(crops: Crops, size: int) -> np.ndarray:
    """Bring crops to one size, each pixel of a larger crop having its share; (N, size, size, 3), uint8."""
    return np.stack([_resize(crop, size) for crop in crops])


def to_checkpoint(network: HeatmapNetwork, settings: HeatmapSettings, facts: dict[str, Any]) -> Checkpoint:
    """Return weights and settings, with facts about how they came about."""
    own = {"kind": _KIND, "licence": LICENCE, "settings": settings.model_dump(mode="json", exclude={"fresh"})}
    return Checkpoint(network.state_dict(), {**facts, **own})


def from_checkpoint(checkpoint: Checkpoint) -> Heatmap:
    """Return the regressor that a checkpoint holds.

    Raises:
        CheckpointError: if it holds something else, or weights that do not fit.
    """
    facts = checkpoint.facts
    if facts.get("kind") != _KIND:
        raise CheckpointError(
            f"the checkpoint holds {facts.get('kind', 'no landmarks')!r}, not {_KIND!r}; run the pipeline landmarks"
        )
    settings = HeatmapSettings.model_validate(facts["settings"])
    network = HeatmapNetwork(settings.width)
    try:
        network.load_state_dict(checkpoint.tensors)
    except RuntimeError as error:
        raise CheckpointError(f"the landmark weights do not fit their own settings: {error}") from error
    return Heatmap(network, settings)


def _resize(crop: np.ndarray, size: int) -> np.ndarray:
    if len(crop) == size:
        return crop
    # Pillow's bilinear filter widens when it shrinks, so that no pixel is skipped
    return np.asarray(Image.fromarray(crop).resize((size, size), Image.Resampling.BILINEAR))
