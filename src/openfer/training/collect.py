"""Any other output of a trained method, batch by batch, such as what a figure is made of."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from openfer.methods.contract import Method
from openfer.training.batches import Loader, testing_batches
from openfer.training.config import TrainingConfig
from openfer.training.data import Faces
from openfer.training.device import eager, resolve

_BATCH_SIZE = 64


@torch.inference_mode()
def collect(method: Method, function: Callable[[Tensor], Tensor], faces: Faces, config: TrainingConfig) -> np.ndarray:
    """Apply a function of a method to all faces.

    Args:
        method: with trained weights; it is moved to the plan's device and into evaluation mode.
        function: from normalised images (B, 3, S, S) to (B, ...).
        faces: centre crops; must not be empty.
        config: device and precision.

    Returns:
        float32, (N, ...), in the order of the faces.
    """
    plan = resolve(config)
    method.to(plan.device, memory_format=plan.memory_format)  # type: ignore[call-overload]
    method.eval()
    parts = []
    with eager():
        for batch in Loader(faces, plan).batches(testing_batches(faces, _BATCH_SIZE)):
            with plan.autocast():
                parts.append(function(batch.images).float().cpu().numpy())
    return np.concatenate(parts)
