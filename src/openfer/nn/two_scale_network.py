"""SNA's expression network: the same stack of convolutions on an image and on its half (SNA, Table II)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.nn.choices import Pool

ORI_FEATURES, HALF_FEATURES = 64, 32
"""Length of each branch's feature."""


_CHANNELS, _KERNELS, _LAST = (64, 128, 256, 512), (5, 3, 3, 3), 128


def conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """Return Conv - BN - ReLU that keeps the size of the maps."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.BatchNorm2d(outputs), nn.ReLU())


class Branch(nn.Module):
    """Four stages of one or two convolutions, a 1 x 1 convolution with dropout, and a fully connected layer.

    Args:
        side: of the input in pixels.
        features: length of the output.
        pool: where a stage halves its maps.
        dropout: behind the last convolution.
    """

    def __init__(self, side: int, features: int, pool: Pool, dropout: float) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        inputs = 1
        for number, (channels, kernel) in enumerate(zip(_CHANNELS, _KERNELS, strict=True)):
            layers = [conv(inputs, channels, kernel)]
            if number < len(_CHANNELS) - 1:
                layers.append(conv(channels, channels, kernel))
            layers.insert(1 if pool == "after_a" else len(layers), nn.Sequential(nn.MaxPool2d(2)))
            self.stages.append(nn.Sequential(*layers))
            inputs = channels
        self.last = conv(inputs, _LAST, 1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(_LAST * (side // 2 ** len(_CHANNELS)) ** 2, features)

    def maps(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what the third stage, the fourth and the last convolution give; dropout is not among them."""
        found = []
        for stage in self.stages:
            images = stage(images)
            found.append(images)
        return found[-2], found[-1], self.last(images)

    def forward(self, images: Tensor) -> Tensor:
        """Return the feature (B, features) of grey images (B, 1, side, side)."""
        feature: Tensor = self.fc(self.dropout(self.maps(images)[-1]).flatten(1))
        return feature


class TwoScaleOutput(NamedTuple):
    """What the network says of a batch.

    Attributes:
        fused: logits of both features together, the answer, (B, K).
        ori: logits of the feature of the whole image, (B, K).
        half: logits of the feature of the half, (B, K).
        feature: both features in a row, (B, 96).
    """

    fused: Tensor
    ori: Tensor
    half: Tensor
    feature: Tensor


class TwoScaleNetwork(nn.Module):
    """5,359,157 parameters for seven classes at 112 pixels; the table leaves out the two branches' classifiers.

    Args:
        classes: K.
        side: of the images in pixels, at least :data:`~openfer.nn.choices.TWO_SCALE_SMALLEST_SIDE`.
        pool: where a stage halves its maps.
        dropout: behind each branch's last convolution.
    """

    def __init__(self, classes: int, side: int, pool: Pool, dropout: float) -> None:
        super().__init__()
        self.ori_branch = Branch(side, ORI_FEATURES, pool, dropout)
        self.half_branch = Branch(side // 2, HALF_FEATURES, pool, dropout)
        self.fused_head = nn.Linear(ORI_FEATURES + HALF_FEATURES, classes)
        self.ori_head = nn.Linear(ORI_FEATURES, classes)
        self.half_head = nn.Linear(HALF_FEATURES, classes)

    def forward(self, images: Tensor) -> TwoScaleOutput:
        """Classify grey images (B, 1, side, side)."""
        ori, half = self.ori_branch(images), self.half_branch(F.avg_pool2d(images, 2))
        feature = torch.cat([ori, half], dim=1)
        return TwoScaleOutput(self.fused_head(feature), self.ori_head(ori), self.half_head(half), feature)
