"""SNA's autoencoder: a light encoder, and a decoder with residual blocks (SNA, Table I)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CODE = 64
"""Length of the code z."""


_CHANNELS = (16, 32, 64, 80)
_HALVINGS = len(_CHANNELS)


class Encoded(NamedTuple):
    """What the encoder gives.

    Attributes:
        code: z, (B, 64).
        levels: outputs of its convolutions, the widest first: 16 x S/2, 32 x S/4, 64 x S/8 and 80 x S/16.
    """

    code: Tensor
    levels: tuple[Tensor, ...]


class Decoded(NamedTuple):
    """What the decoder gives.

    Attributes:
        image: (B, 1, S, S).
        levels: its maps of the sizes of the encoder's, in the encoder's order.
    """

    image: Tensor
    levels: tuple[Tensor, ...]


class Encoder(nn.Module):
    """H_e: four convolutions that halve, and a fully connected layer (320,784 parameters at 112 pixels).

    Args:
        side: of the images in pixels.
        dropout: of the input and between the convolutions, where the input is corrupted.
        slope: of LeakyReLU; the last convolution has tanh.
    """

    def __init__(self, side: int, dropout: float, slope: float) -> None:
        super().__init__()
        inputs = (1, *_CHANNELS[:-1])
        self.convolutions = nn.ModuleList(
            nn.Sequential(nn.Conv2d(i, o, 3, stride=2, padding=1), nn.BatchNorm2d(o))
            for i, o in zip(inputs, _CHANNELS, strict=True)
        )
        self.fc = nn.Linear(_CHANNELS[-1] * (side // 2**_HALVINGS) ** 2, CODE)
        self._dropout, self._slope = dropout, slope

    def forward(self, images: Tensor, *, corrupted: bool = False) -> Encoded:
        """Encode grey images (B, 1, S, S); ``corrupted`` drops parts of them and of the maps between."""
        levels = []
        maps = images
        for number, convolution in enumerate(self.convolutions):
            if corrupted:
                maps = F.dropout(maps, self._dropout)
            maps = convolution(maps)
            maps = F.leaky_relu(maps, self._slope) if number < _HALVINGS - 1 else torch.tanh(maps)
            levels.append(maps)
        return Encoded(self.fc(maps.flatten(1)), tuple(levels))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with batch normalisation beside an identity.

    Args:
        channels: of the input and the output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
        )
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        return F.relu(maps + self.second(self.first(maps)))


class Decoder(nn.Module):
    """H_d: transposed convolutions that double, with nine residual blocks or none.

    At 112 pixels 530,295 parameters; 326,497 without the blocks, the symmetric decoder. The last transposed convolution
    keeps the size, where Table I's stride of 2 would not lead from 112 to 112. Only its block follows it.

    Args:
        side: of the images in pixels.
        blocks: whether it has residual blocks, two behind each doubling and one behind the last convolution.
    """

    def __init__(self, side: int, *, blocks: bool) -> None:
        super().__init__()
        self._cells = side // 2**_HALVINGS
        self.fc = nn.Linear(CODE, _CHANNELS[-1] * self._cells**2)
        inputs, outputs = (80, 64, 32, 16), (64, 32, 16, 16)
        self.doublings = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(i, o, 3, stride=2, padding=1, output_padding=1),
                *(ResidualBlock(o) for _ in range(2) if blocks),
                nn.ReLU(),
            )
            for i, o in zip(inputs, outputs, strict=True)
        )
        self.last = nn.Sequential(nn.ConvTranspose2d(16, 1, 3, padding=1), *([ResidualBlock(1)] if blocks else []))

    def forward(self, code: Tensor) -> Decoded:
        """Decode (B, 64)."""
        maps = self.fc(code).unflatten(1, (_CHANNELS[-1], self._cells, self._cells))
        levels = [maps]
        for doubling in self.doublings:
            maps = doubling(maps)
            levels.append(maps)
        return Decoded(self.last(maps), tuple(reversed(levels[:_HALVINGS])))
