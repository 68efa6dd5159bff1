"""Augmentation by torchvision's transforms, each draw decided by a generator of the sample's own."""

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2

from openfer.training.augmentation_settings import Affine, Augmentation, Erase, Jitter, ResizedCrop, RotateAndCrop
from openfer.training.config import ImageSettings


class Augmenter:
    """What a training image goes through besides crop and flip, in the order of the settings.

    Args:
        images: whose ``augment`` it does; ``crop`` and ``mean`` decide sizes and the colour of erased parts.
    """

    def __init__(self, images: ImageSettings) -> None:
        self._steps = v2.Compose([_transform(step, images) for step in images.augment])

    def __call__(self, pixels: Tensor, draw: np.random.Generator) -> Tensor:
        """Return an augmented copy.

        Args:
            pixels: uint8, (3, H, W).
            draw: gives the one number that decides all of torchvision's draws; torch's own generator is
                left as it was.
        """
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(draw.integers(2**63)))
            return self._steps(pixels)

    def with_landmarks(self, pixels: Tensor, landmarks: Tensor, draw: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return an augmented copy and where its points have gone; the pixels are those of :meth:`__call__`.

        Args:
            pixels: uint8, (3, H, W).
            landmarks: x, y and confidence, float32, (P, 3).
            draw: as there.
        """
        height, width = pixels.shape[-2:]
        places = tv_tensors.KeyPoints(landmarks[:, :2], canvas_size=(height, width))
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(draw.integers(2**63)))
            image, moved = self._steps(tv_tensors.Image(pixels), places)
        return image.as_subclass(Tensor), torch.cat([moved.as_subclass(Tensor), landmarks[:, 2:]], dim=1)


def _transform(step: Augmentation, images: ImageSettings) -> v2.Transform:
    size = images.crop
    match step:
        case RotateAndCrop():
            turned = [v2.RandomRotation(step.degrees), v2.RandomCrop(size, padding=round(step.padding * size))]
            return v2.RandomApply(turned, p=step.probability)
        case Erase():
            colour = [float(round(255 * level)) for level in images.channel_means]
            return v2.RandomErasing(step.probability, scale=step.share, value=colour)
        case Jitter():
            return v2.ColorJitter(brightness=step.brightness, contrast=step.contrast)
        case Affine():
            shift = (step.translate, step.translate)
            return v2.RandomAffine(step.degrees, shift, step.scale, interpolation=InterpolationMode.BILINEAR)
        case ResizedCrop():
            return v2.RandomResizedCrop(size, scale=step.share)
