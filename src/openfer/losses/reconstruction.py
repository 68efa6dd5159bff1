"""How far a reconstructed face and the maps on the way to it are from what they are to be."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from openfer.losses.precision import widen


def level_losses(
    image: Tensor,
    image_target: Tensor,
    levels: Sequence[Tensor],
    targets: Sequence[Tensor],
    image_weight: float,
    level_weights: Sequence[float],
) -> dict[str, Tensor]:
    """Weighted mean squared errors of an image and of maps of several levels (SNA, Eq. 4).

    The equation divides each level's squared distance by its number of elements; over the batch it is a mean.

    Args:
        image: reconstruction, (B, 1, S, S).
        image_target: of the same shape.
        levels: reconstructed maps.
        targets: theirs; they are constants.
        image_weight: alpha_0.
        level_weights: alpha_1 and so on.

    Returns:
        By name ``image`` and ``level_<number>`` scalars >= 0.
    """
    losses = {"image": image_weight * F.mse_loss(widen(image), widen(image_target))}
    for number, (own, target, weight) in enumerate(zip(levels, targets, level_weights, strict=True), start=1):
        losses[f"level_{number}"] = weight * F.mse_loss(widen(own), widen(target.detach()))
    return losses


def perceptual_losses(own: Sequence[Tensor], target: Sequence[Tensor], weights: Sequence[float]) -> dict[str, Tensor]:
    """Weighted mean squared errors of what a network perceives in two images (SNA, second term of Eq. 5).

    Args:
        own: maps of the reconstruction, one for each layer.
        target: maps of the original; they are constants.
        weights: what each layer counts.

    Returns:
        By name ``perceptual_<number>`` scalars >= 0.
    """
    triples = zip(own, target, weights, strict=True)
    return {
        f"perceptual_{number}": weight * F.mse_loss(widen(one), widen(other.detach()))
        for number, (one, other, weight) in enumerate(triples, start=1)
    }
