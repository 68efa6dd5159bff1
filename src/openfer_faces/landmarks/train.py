"""Training of the heat-map regressor; a killed training goes on at its last whole epoch, bit for bit.

The order of an epoch and the augmentation of a face are drawn from their names (:mod:`openfer.seeds`);
weights and the optimiser's state are all else that a step reads. The same number of threads gives the same
bits. It computes on the CPU, where it takes minutes.
"""

import logging
import math
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Never

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from openfer.errors import DataError, TrainingError
from openfer.seeds import generator_for, seed_for
from openfer_faces.landmarks.augment import KnownFace, align, augment
from openfer_faces.landmarks.decode import decode
from openfer_faces.landmarks.loss import landmark_loss
from openfer_faces.landmarks.network import STRIDE, HeatmapNetwork, computes_bfloat16, normalise
from openfer_faces.landmarks.resume import load_progress, save_progress
from openfer_faces.landmarks.settings import HeatmapSettings

_log = logging.getLogger(__name__)

_LOG_SECONDS = 30.0

Faces = Sequence[KnownFace]
"""Known faces by number, read when asked for."""

History = list[dict[str, float]]
"""One record per epoch: epoch, place, visibility, and the validation faces' nme."""


def train(faces: Faces, validation: Faces, settings: HeatmapSettings, work: Path) -> tuple[HeatmapNetwork, History]:
    """Train a network from nothing, or go on with what ``work`` holds.

    Args:
        faces: rendered faces with their points.
        validation: faces of other people; they are watched and choose nothing.
        settings: network, schedule, augmentation and seed.
        work: folder of the file by which a killed training goes on.

    Returns:
        The network in evaluation mode, and what each epoch measured.

    Raises:
        DataError: if there are fewer faces than a batch holds.
        TrainingError: if a loss is not finite.
    """
    if len(faces) < settings.batch_size:
        raise DataError(
            f"{len(faces)} faces do not fill a batch of {settings.batch_size}: render more people, or lower "
            "landmarks.heatmap.batch_size"
        )
    torch.manual_seed(seed_for(settings.seed, "weights"))
    network = HeatmapNetwork(settings.width).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    recipe = {"settings": settings.model_dump(mode="json", exclude={"fresh"}), "faces": len(faces)}
    history = load_progress(work, recipe, network, optimiser)
    if history:
        _log.info("landmarks continue at epoch %d of %d", len(history) + 1, settings.epochs)
    steps = len(faces) // settings.batch_size
    terminal = sys.stderr.isatty()
    with tqdm(
        total=settings.epochs * steps,
        initial=len(history) * steps,
        desc="landmarks",
        unit="step",
        mininterval=0.3 if terminal else _LOG_SECONDS,
        dynamic_ncols=True,
    ) as bar:
        for epoch in range(len(history), settings.epochs):
            bar.set_description(f"landmarks epoch {epoch + 1}/{settings.epochs}", refresh=False)
            losses = _epoch(network, optimiser, faces, settings, epoch, bar)
            error = validation_error(network, validation, settings)
            bar.set_postfix(place=f"{losses['place']:.3f}", nme=f"{error:.4f}", refresh=False)
            history = [*history, {"epoch": epoch + 1, **losses, "validation_nme": error}]
            save_progress(work, recipe, history, network, optimiser)
    return network.eval(), history


def validation_error(network: HeatmapNetwork, faces: Faces, settings: HeatmapSettings) -> float:
    """Return the mean distance of visible points from the truth, as a share of the crop's side."""
    network.eval()
    distances = []
    for start in range(0, len(faces), settings.batch_size):
        stop = min(start + settings.batch_size, len(faces))
        known = [align(faces[number], settings.input_size) for number in range(start, stop)]
        found = find(network, np.stack([face.image for face in known]))[0].numpy()
        for face, points in zip(known, found, strict=True):
            distances.append(np.linalg.norm(points - face.points68, axis=1)[face.visible68])
    return float(np.concatenate(distances).mean() / settings.input_size) if distances else math.nan


@torch.inference_mode()
def find(network: HeatmapNetwork, crops: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return points in pixels (N, 68, 2) and peaks (N, 68) of crops of the network's size, (N, S, S, 3)."""
    with torch.autocast("cpu", torch.bfloat16, enabled=computes_bfloat16()):
        logits = network(normalise(torch.from_numpy(crops)))
    points, peaks = decode(logits.float())
    return points * STRIDE, peaks


def _epoch(
    network: HeatmapNetwork,
    optimiser: torch.optim.Optimizer,
    faces: Faces,
    settings: HeatmapSettings,
    epoch: int,
    bar: "tqdm[Never]",
) -> dict[str, float]:
    network.train()
    sums: dict[str, float] = {}
    steps = len(faces) // settings.batch_size
    for step, (images, points, visible) in enumerate(_batches(faces, settings, epoch)):
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * _rate(epoch * steps + step, steps, settings.epochs)
        with torch.autocast("cpu", torch.bfloat16, enabled=computes_bfloat16()):
            logits = network(normalise(images))
        losses = landmark_loss(logits.float(), points / STRIDE, visible, settings.sigma, settings.hidden_weight)
        if not torch.isfinite(losses["total"]):
            raise TrainingError(
                f"the landmark loss is {losses['total'].item()} in epoch {epoch + 1}, step {step + 1}; "
                "lower landmarks.heatmap.learning_rate"
            )
        optimiser.zero_grad(set_to_none=True)
        losses["total"].backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach()) / steps
        bar.update()
    return sums


def _batches(faces: Faces, settings: HeatmapSettings, epoch: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield images, points and visibility; the next batch is made while the network computes."""
    order = generator_for(settings.seed, "order", epoch).permutation(len(faces))
    size = settings.batch_size
    parts = [order[start : start + size] for start in range(0, len(order) - size + 1, size)]

    def make(numbers: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        known = [_augmented(faces, int(number), settings, epoch) for number in numbers]
        images = torch.from_numpy(np.stack([face.image for face in known]))
        points = torch.from_numpy(np.stack([face.points68 for face in known])).float()
        return images, points, torch.from_numpy(np.stack([face.visible68 for face in known])).float()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(make, parts[0])
        for following in parts[1:]:
            batch, waiting = waiting.result(), pool.submit(make, following)
            yield batch
        yield waiting.result()


def _augmented(faces: Faces, number: int, settings: HeatmapSettings, epoch: int) -> KnownFace:
    generator = generator_for(settings.seed, "augment", epoch, number)
    other = faces[int(generator.integers(len(faces)))].image
    return augment(faces[number], other, settings.input_size, settings.augment, generator)


def _rate(step: int, warmup: int, epochs: int) -> float:
    """Rise over the first epoch, then fall to zero as a cosine; of one epoch, half rises."""
    total = epochs * warmup
    rising = min(warmup, max(1, total // 2))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))
