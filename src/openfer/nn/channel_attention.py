"""Efficient channel attention (ECA; Wang et al., CVPR 2020): neighbouring channels decide a channel's weight."""

import math

from torch import Tensor, nn

from openfer.nn.choices import Kernel


class EfficientChannelAttention(nn.Module):
    """Weighs channels by the sigmoid of a short convolution over their spatial means.

    Args:
        channels: C, which decides an adaptive kernel.
        kernel: its length.
    """

    def __init__(self, channels: int, kernel: Kernel) -> None:
        super().__init__()
        length = adaptive_kernel(channels) if kernel == "adaptive" else kernel
        self.conv = nn.Conv1d(1, 1, length, padding=length // 2, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the weighted maps, (B, C, H, W)."""
        weights = self.conv(maps.mean((2, 3)).unsqueeze(1)).sigmoid()
        return maps * weights.squeeze(1)[:, :, None, None]


def adaptive_kernel(channels: int) -> int:
    """Return the odd kernel ``|log2(C) / 2 + 1/2|_odd``: 3, 5, 5, 5 for ResNet-18's 64 to 512 channels."""
    length = int(abs((math.log2(channels) + 1) / 2))
    return length if length % 2 else length + 1
