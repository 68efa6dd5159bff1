"""The residual block of MA-Net's global branch: features of several scales within one block."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.nn.shortcut import shortcut

_SCALES = 4
_ORDERS = ((0, 1, 2, 3), (3, 2, 1, 0))
"""Which quarter of the channels a chain visits first, second ...

The second chain runs from the fourth to the first, as in MA-Net, whose weights this block loads; the public
code of the diversified version lets both run from the first to the fourth.
"""


class MultiScaleBlock(nn.Module):
    """Conv 3x3 - BN - ReLU, split into quarters, two chains over them, plus the shortcut, then ReLU.

    A chain's step is Conv 3x3 - BN of a quarter to which the ReLU of the step before is added. The outputs of
    both chains are summed (Zhao et al., TIP 2021).

    Args:
        inputs: channels of the input.
        outputs: channels of the output, a multiple of 4.
        stride: of the first convolution and of the shortcut.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        width = outputs // _SCALES
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.chains = nn.ModuleList(
            nn.ModuleList(
                nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
                for _ in range(_SCALES)
            )
            for _ in _ORDERS
        )
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H / stride, W / stride) of (B, inputs, H, W)."""
        quarters = F.relu(self.bn1(self.conv1(x))).chunk(_SCALES, dim=1)
        together = x if self.downsample is None else self.downsample(x)
        for order, steps in zip(_ORDERS, self.chains, strict=True):
            outputs: dict[int, Tensor] = {}
            seen: Tensor | None = None
            for scale in order:
                step = steps.get_submodule(str(scale))
                outputs[scale] = step(quarters[scale] if seen is None else quarters[scale] + F.relu(seen))
                seen = outputs[scale]
            together = together + torch.cat([outputs[scale] for scale in range(_SCALES)], dim=1)
        return F.relu(together)
