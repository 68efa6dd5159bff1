"""Features of faces by what they are to stand for."""

import numpy as np

from openfer.methods.contract import Method
from openfer.training.config import TrainingConfig
from openfer.training.data import Faces
from openfer.training.predict import collect_named


def representations(method: Method, faces: Faces, config: TrainingConfig) -> dict[str, np.ndarray]:
    """Return what :meth:`openfer.methods.contract.Method.representations` gives for all faces.

    Args:
        method: trained, or fresh: its batch normalisation then has seen nothing and leaves everything as it is.
        faces: centre crops; must not be empty.
        config: device and precision.

    Returns:
        By name float32, (N, D), in the order of the faces.
    """
    return collect_named(method, method.representations, faces, config)
