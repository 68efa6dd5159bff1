"""ESR's network without its classifiers: a shared base and an ensemble of branches (Siqueira et al., AAAI 2020)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.nn.cbam import CBAM, Attended
from openfer.nn.choices import GATE_MOMENTUM
from openfer.nn.image_size import refuse_small

FEATURES = 512
"""Length of a branch's pooled feature."""

SMALLEST_SIDE = 54
"""Pixels of the shortest image side: smaller ones leave nothing behind the third pooling."""


class Layer(nn.Sequential):
    """Conv - BN - ReLU, and max-pooling by 2 where ``halve`` says so.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        kernel: side of the filters.
        padding: of the convolution.
        halve: whether the output is pooled.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, padding: int = 0, *, halve: bool = False) -> None:
        pooling = [nn.MaxPool2d(2)] if halve else []
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs), nn.ReLU(), *pooling
        )
        self.outputs: int = outputs


class Trunk(nn.Module):
    """Layers one after the other, each with CBAM behind it where there is attention.

    Args:
        layers: the layers.
        attention: whether CBAM follows each of them.
        gate_momentum: of CBAM's batch statistics.
    """

    def __init__(self, layers: Sequence[Layer], *, attention: bool, gate_momentum: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.attention = nn.ModuleList(CBAM(layer.outputs, gate_momentum) for layer in layers if attention)

    def forward(self, maps: Tensor) -> tuple[Tensor, Attended | None]:
        """Return the last maps, and what the last CBAM gave; None without attention."""
        attended: Attended | None = None
        for number, layer in enumerate(self.layers):
            maps = layer(maps)
            if self.attention:
                attended = self.attention[number](maps)
                maps = attended.maps
        return maps, attended


class BranchOutput(NamedTuple):
    """What one branch sees in a batch.

    Attributes:
        feature: its pooled maps, (B, 512).
        attended: its last CBAM's output; None without attention.
    """

    feature: Tensor
    attended: Attended | None


class ESRNetwork(nn.Module):
    """A base and branches; at 96 pixels 128 x 20 x 20 and 512 x 6 x 6 maps.

    Args:
        branches: how many branches there are.
        attention: whether CBAM follows each of the eight layers.
        gate_momentum: of CBAM's batch statistics.
    """

    def __init__(self, branches: int, *, attention: bool, gate_momentum: float = GATE_MOMENTUM) -> None:
        super().__init__()
        self.base = Trunk(
            [Layer(3, 64, 5), Layer(64, 128, halve=True), Layer(128, 128), Layer(128, 128, halve=True)],
            attention=attention,
            gate_momentum=gate_momentum,
        )
        self.branches = nn.ModuleList(
            Trunk(
                [Layer(128, 128), Layer(128, 256, halve=True), Layer(256, 256), Layer(256, 512, padding=1)],
                attention=attention,
                gate_momentum=gate_momentum,
            )
            for _ in range(branches)
        )

    def forward(self, images: Tensor, count: int) -> Sequence[BranchOutput]:
        """Run the base and the first ``count`` branches on images (B, 3, S, S).

        Raises:
            ParameterError: if the images are too small.
        """
        refuse_small(images, SMALLEST_SIDE, 96)
        shared, _ = self.base(images)
        outputs = [branch(shared) for branch in self.branches[:count]]
        return [BranchOutput(F.adaptive_avg_pool2d(maps, 1).flatten(1), attended) for maps, attended in outputs]


def stack_gates(outputs: Sequence[BranchOutput]) -> tuple[Tensor, Tensor]:
    """Return the channel gates (L, B, 512) and the spatial gates (L, B, h, w) of L branches with attention."""
    gates = [output.attended for output in outputs if output.attended is not None]
    return torch.stack([gate.channel for gate in gates]), torch.stack([gate.spatial[:, 0] for gate in gates])
