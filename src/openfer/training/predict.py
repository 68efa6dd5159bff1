"""What a trained method says of faces, batch by batch, without gradients."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import torch
from torch import Tensor
from torchmetrics.classification import MulticlassAccuracy

from openfer.losses.concordance import concordance
from openfer.losses.root_mean_square import root_mean_square
from openfer.methods.contract import MISSING, Batch, Method, Prediction
from openfer.training.batches import Loader, testing_batches, with_mirror_images
from openfer.training.config import TrainingConfig
from openfer.training.data import Faces, Key
from openfer.training.device import Plan, eager, place, resolve

_AVERAGES: Mapping[str, Literal["micro", "macro"]] = {"accuracy": "micro", "balanced_accuracy": "macro"}
"""How each kind of accuracy counts the classes."""

_BATCH_SIZE = 64
"""Samples at once; outputs differ by rounding only."""

Output = TypeVar("Output")


@dataclass(frozen=True)
class Predicted:
    """Test-time outputs for all samples of a data set, in its order.

    Attributes:
        probabilities: task -> (N, K), float32, rows sum to 1.
        features: what the classifier reads, (N, D), float32.
        values: what is regressed, by name, (N,), float32.
    """

    probabilities: dict[str, np.ndarray]
    features: np.ndarray
    values: dict[str, np.ndarray]


def predict(method: Method, dataset: Faces, config: TrainingConfig) -> Predicted:
    """Run the test-time path over a data set.

    Args:
        method: with trained weights; it is moved to the plan's device and into evaluation mode.
        dataset: centre crops; it must not be empty.
        config: device and precision, and whether mirror images are predicted, too.

    Raises:
        DataError: if an image is damaged.
        ParameterError: if the device asked for does not exist.
    """
    plan = resolve(config)
    place(method, plan)
    probabilities: dict[str, list[np.ndarray]] = {task: [] for task in method.classes}
    values: dict[str, list[np.ndarray]] = {name: [] for name in method.declared.regression_targets}
    features: list[np.ndarray] = []
    for _, prediction in _predictions(method, Loader(dataset, plan), dataset, plan, config.average_mirrored):
        for task, logits in prediction.logits.items():
            probabilities[task].append(logits.float().softmax(dim=1).cpu().numpy())
        for name, parts in values.items():
            parts.append(prediction.values[name].float().cpu().numpy())
        features.append(prediction.features.float().cpu().numpy())
    return Predicted(
        {task: np.concatenate(parts) for task, parts in probabilities.items()},
        np.concatenate(features),
        {name: np.concatenate(parts) for name, parts in values.items()},
    )


def scores(
    method: Method,
    loader: Loader,
    faces: Faces,
    plan: Plan,
    kinds: Iterable[str] = ("accuracy",),
    mirrored: bool = False,
) -> dict[str, float]:
    """Return how well a method predicts, over the samples that have a label.

    Args:
        method: with its present weights.
        loader: of the faces.
        faces: centre crops.
        plan: device and arithmetic.
        kinds: ``accuracy``, ``balanced_accuracy`` or both.
        mirrored: whether predictions are means over a face and its mirror image.

    Returns:
        ``balanced_accuracy/<task>``, the mean recall of the classes that are there;
        ``accuracy/<task>``, the share of correct predictions; of what it regresses ``ccc/<name>``, the concordance
        coefficient, and ``rmse/<name>``. What no sample is labelled for is left out.
    """
    metrics = {
        (kind, task): MulticlassAccuracy(
            len(names), average=_AVERAGES[kind], ignore_index=MISSING, validate_args=False
        ).to(plan.device)  # validation would make a GPU wait in every batch; labels are checked where they are read
        for kind in kinds
        for task, names in method.classes.items()
        if (faces.labels[task] != MISSING).any()
    }
    rated = [name for name in method.declared.regression_targets if not np.isnan(faces.targets[name]).all()]
    values: list[tuple[Tensor, Tensor]] = []
    for batch, prediction in _predictions(method, loader, faces, plan, mirrored):
        for (_, task), metric in metrics.items():
            metric.update(prediction.logits[task].float(), batch.labels[task])
        if rated:
            columns = ([own[name].float() for name in rated] for own in (prediction.values, batch.targets))
            predicted, true = (torch.stack(column, dim=1) for column in columns)
            values.append((predicted, true))
    found = {f"{kind}/{task}": float(metric.compute()) for (kind, task), metric in metrics.items()}
    if rated:
        predicted, true = (torch.cat(parts).double() for parts in zip(*values, strict=True))
        for kind, measure in (("ccc", concordance), ("rmse", root_mean_square)):
            numbers = zip(rated, measure(predicted, true).tolist(), strict=True)
            found |= {f"{kind}/{name}": value for name, value in numbers}
    return found


def collect(method: Method, function: Callable[..., Tensor], faces: Faces, config: TrainingConfig) -> np.ndarray:
    """Apply a function of a method to all faces, such as what a figure is made of.

    Args:
        method: with trained weights; it is moved to the plan's device and into evaluation mode.
        function: from what the method's ``forward`` takes to (B, ...).
        faces: centre crops; must not be empty.
        config: device and precision.

    Returns:
        float32, (N, ...), in the order of the faces.
    """
    return collect_named(method, lambda *inputs: {"": function(*inputs)}, faces, config)[""]


def collect_named(
    method: Method, function: Callable[..., Mapping[str, Tensor]], faces: Faces, config: TrainingConfig
) -> dict[str, np.ndarray]:
    """Do the same for a function that gives several tensors by name, such as a prediction's maps, in one pass.

    Returns:
        By name float32, (N, ...), in the order of the faces.
    """
    plan = resolve(config)
    place(method, plan)
    found: dict[str, list[np.ndarray]] = {}
    for _, outputs in _outputs(method, function, Loader(faces, plan), testing_batches(faces, _BATCH_SIZE), plan):
        for name, output in outputs.items():
            found.setdefault(name, []).append(output.float().cpu().numpy())
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _predictions(
    method: Method, loader: Loader, faces: Faces, plan: Plan, mirrored: bool
) -> Iterator[tuple[Batch, Prediction]]:
    """Yield every batch with its predictions, or with their means over faces and mirror images."""
    keys = testing_batches(faces, _BATCH_SIZE)
    keys = with_mirror_images(keys) if mirrored else keys
    outputs: Iterator[tuple[Batch, Prediction]] = _outputs(method, method, loader, keys, plan)
    for batch, prediction in outputs:
        yield batch, mean_of(prediction, next(outputs)[1]) if mirrored else prediction


def mean_of(one: Prediction, other: Prediction) -> Prediction:
    """Return a prediction of the mean probabilities, features and values of two, without maps."""
    logits = {
        task: torch.stack([side.logits[task].float().softmax(1) for side in (one, other)]).mean(0).log()
        for task in one.logits
    }
    values = {name: (value + other.values[name]) / 2 for name, value in one.values.items()}
    return Prediction(logits, (one.features + other.features) / 2, values=values)


@torch.inference_mode()
def _outputs(
    method: Method, function: Callable[..., Output], loader: Loader, keys: list[list[Key]], plan: Plan
) -> Iterator[tuple[Batch, Output]]:
    """Yield every batch with what the function says of it, the method in evaluation mode."""
    method.eval()
    with eager():
        for batch in loader.batches(keys):
            with plan.autocast():
                output = function(*method.inputs(batch))
            yield batch, output
