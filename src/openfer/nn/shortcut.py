"""The shortcut of residual blocks that change the number or the size of maps."""

from torch import nn


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """Return Conv 1x1 - BN, or None where the input itself can be added."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
