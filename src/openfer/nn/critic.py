"""The critic of SNA's refinement: how real a face looks."""

from itertools import pairwise

from torch import Tensor, nn

_CHANNELS = (1, 32, 64, 128, 256)


class Critic(nn.Module):
    """D: four 4 x 4 convolutions that halve, and a number; no batch normalisation, by which samples would mix.

    The paper describes none; this one is ours.

    Args:
        side: of the images in pixels.
        slope: of the LeakyReLUs.
    """

    def __init__(self, side: int, slope: float = 0.2) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(_CHANNELS):
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.LeakyReLU(slope)]
        self.layers = nn.Sequential(*layers)
        self.fc = nn.Linear(_CHANNELS[-1] * (side // 2 ** (len(_CHANNELS) - 1)) ** 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the score (B, 1) of grey images (B, 1, S, S), the higher the more real."""
        score: Tensor = self.fc(self.layers(images).flatten(1))
        return score
