"""Where a trained method looks for a class: Grad-CAM (Selvaraju et al., ICCV 2017), by captum."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from openfer.methods.contract import MISSING, Batch, Method
from openfer.training.batches import Loader, testing_batches
from openfer.training.config import TrainingConfig
from openfer.training.data import Faces
from openfer.training.device import eager, place, resolve

_BATCH_SIZE = 16
"""Faces at once: their graphs are held, and a figure has few."""

LEAST_CELLS = 4
"""Smallest side, in cells, of a map that still says where in a face a network looks.

The papers' 224 pixels leave 7 x 7 cells after the last stage. The default's 64 pixels leave 2 x 2 there,
so that the stage before it, with 4 x 4, is looked at.
"""


@dataclass(frozen=True)
class GradCam:
    """What a method answers in one task, and where it looked for that.

    Attributes:
        predicted: class index by face, int64, (N,); of float32 arithmetic.
        of_predicted: evidence for the predicted class, float32 and >= 0, (N, h, w). It is not scaled, so that
            the two maps of a face may be compared; all zeros say that nothing speaks for the class.
        of_true: evidence for the true class; zeros for a face without a label.
    """

    predicted: np.ndarray
    of_predicted: np.ndarray
    of_true: np.ndarray


def grad_cam(method: Method, faces: Faces, config: TrainingConfig) -> dict[str, GradCam]:
    """Compute the maps of every task in evaluation mode, with gradients and in float32.

    Args:
        method: with trained weights; it is moved to the device of ``config`` and otherwise left as it was.
        faces: centre crops; must not be empty.
        config: the device and the layout; the precision is not obeyed.

    Raises:
        DataError: if an image is damaged.
    """
    plan = resolve(config)
    place(method, plan)
    found: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = {task: [] for task in method.classes}
    with evaluating(method), eager():
        for batch in Loader(faces, plan).batches(testing_batches(faces, _BATCH_SIZE)):
            layer = cam_layer(method, batch)
            with torch.no_grad():
                logits = method(*method.inputs(batch)).logits
            for task, maps in found.items():
                predicted, labels = logits[task].argmax(1), batch.labels[task]
                of_true = class_maps(method, layer, batch, task, labels.clamp_min(0))
                of_true[labels == MISSING] = 0
                maps.append((predicted, class_maps(method, layer, batch, task, predicted), of_true))
    return {
        task: GradCam(*(torch.cat(part).cpu().numpy() for part in zip(*maps, strict=True)))
        for task, maps in found.items()
    }


def class_maps(method: Method, layer: nn.Module, batch: Batch, task: str, classes: Tensor) -> Tensor:
    """Return ``relu(sum_k a_k A_k)`` with ``a_k = mean over cells of d y_c / d A_k``.

    ``A`` is the output of the layer, ``y_c`` the score that the method gives the class before a softmax; for
    a method that gives log-probabilities it is these, for one that votes what the voters say. No gradient is left
    behind in the parameters.

    Args:
        method: in the mode that is asked about.
        layer: one of its modules, with an output (B, C, h, w).
        batch: normalised images.
        task: one of the method's.
        classes: c by face, int64, (B,).

    Returns:
        float32, (B, h, w), detached.
    """
    from captum.attr import LayerGradCam

    def scores(shown: Tensor) -> Tensor:
        prediction = method(*method.inputs(replace(batch, images=shown)))
        return prediction.scores.get(task, prediction.logits[task]).float()

    images = batch.images.detach().requires_grad_()  # the graph exists also where all parameters are frozen
    with torch.enable_grad():
        cam = LayerGradCam(scores, layer)
        maps = cam.attribute(images, target=classes, relu_attributions=True)
    return maps.detach().float()[:, 0]


def cam_layer(method: Method, batch: Batch) -> nn.Module:
    """Return the deepest layer that a method offers for looking at it with maps of :data:`LEAST_CELLS`.

    Where none is so wide, as for tiny crops, it is the first one.
    """
    sides: dict[nn.Module, int] = {}

    def note(layer: nn.Module, _: object, maps: Tensor) -> None:
        sides[layer] = min(maps.shape[-2:])

    offered = tuple(method.cam_layers())
    hooks = [layer.register_forward_hook(note) for layer in offered]
    try:
        with torch.no_grad():
            method(*method.inputs(_first(batch)))
    finally:
        for hook in hooks:
            hook.remove()
    return next((layer for layer in reversed(offered) if sides.get(layer, 0) >= LEAST_CELLS), offered[0])


def _first(batch: Batch) -> Batch:
    extras = {name: values[:1] for name, values in batch.extras.items()}
    return replace(batch, images=batch.images[:1], extras=extras)


@contextmanager
def evaluating(method: Method) -> Iterator[None]:
    """Put a method into evaluation mode, and every module back into its own mode afterwards."""
    modes = {module: module.training for module in method.modules()}
    method.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
