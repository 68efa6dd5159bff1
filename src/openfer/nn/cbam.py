"""CBAM: attention over channels, then over space (Woo et al., ECCV 2018), as ESR-CBAM and MA-Net use it."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.nn.channel_summary import channel_summary
from openfer.nn.choices import GATE_MOMENTUM

_REDUCTION = 16
_KERNEL = 7


class Attended(NamedTuple):
    """Output of CBAM.

    Attributes:
        maps: (B, C, H, W), weighted by both gates.
        channel: the channel gate in (0, 1), (B, C), float32.
        spatial: the spatial gate in (0, 1), (B, 1, H, W), float32.
    """

    maps: Tensor
    channel: Tensor
    spatial: Tensor


class CBAM(nn.Module):
    """Two gates in a row.

    - channel: FC(C, C/16) - ReLU - FC(C/16, C) of the average and of the maximum over space, with the same
      weights; sigmoid of their sum;
    - spatial: convolution 7 x 7 of the maximum and the average over channels - BN - sigmoid.

    The gates are computed in single precision also under autocast: they are small, and diversity compares
    those of several branches, which begin closer together than bfloat16 tells apart. What they weigh stays in
    the precision of the maps.

    Args:
        channels: C.
        gate_momentum: of the spatial gate's batch statistics. With the public code's they are at 95 % of the truth
            after 300 steps, so that a shorter training predicts by gates that it has not trained.
    """

    def __init__(self, channels: int, gate_momentum: float = GATE_MOMENTUM) -> None:
        super().__init__()
        narrow = channels // _REDUCTION
        self.channel = nn.Sequential(nn.Linear(channels, narrow), nn.ReLU(), nn.Linear(narrow, channels))
        self.spatial = nn.Sequential(
            nn.Conv2d(2, 1, _KERNEL, padding=_KERNEL // 2, bias=False), nn.BatchNorm2d(1, momentum=gate_momentum)
        )

    def forward(self, maps: Tensor) -> Attended:
        """Weigh maps (B, C, H, W)."""
        with torch.autocast(maps.device.type, enabled=False):
            # not adaptive: the gradient of that average comes in the other memory layout, which is slow to add up
            average, largest = F.avg_pool2d(maps, maps.shape[-2:]), F.adaptive_max_pool2d(maps, 1)
            channel = torch.sigmoid(self.channel(average.flatten(1).float()) + self.channel(largest.flatten(1).float()))
            weighted = maps * channel.to(maps.dtype)[:, :, None, None]
            # two channels: convolved four times as fast in this layout, whatever the maps have
            summary = channel_summary(weighted).float().contiguous(memory_format=torch.channels_last)
            spatial = torch.sigmoid(self.spatial(summary))
            return Attended(weighted * spatial.to(maps.dtype), channel, spatial)
