"""The heat-map network: a small residual encoder, brought back to a quarter of the input's size."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openfer_faces.landmarks.contract import POINTS

STRIDE = 4
"""Input pixels per cell of a map, across and down."""


class HeatmapNetwork(nn.Module):
    """From normalised crops to one map of logits per point.

    The shape of a map says where its point is, its height whether the point can be seen; see
    :func:`openfer_faces.landmarks.loss.landmark_loss`.

    Args:
        width: channels of the finest maps.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        fine, middle, coarse, coarsest = width, 2 * width, 3 * width, 4 * width
        self.stem = nn.Sequential(_conv(3, width // 2, 2), _conv(width // 2, fine, 2), _Residual(fine, fine, 1))
        self.down1 = nn.Sequential(_Residual(fine, middle, 2), _Residual(middle, middle, 1))
        self.down2 = nn.Sequential(_Residual(middle, coarse, 2), _Residual(coarse, coarse, 1))
        self.down3 = nn.Sequential(_Residual(coarse, coarsest, 2), _Residual(coarsest, coarsest, 1))
        self.up3 = _conv(coarsest, coarse, 1, kernel=1)
        self.up2 = nn.Sequential(_conv(coarse, coarse, 1), _conv(coarse, middle, 1, kernel=1))
        self.up1 = nn.Sequential(_conv(middle, middle, 1), _conv(middle, fine, 1, kernel=1))
        self.out = nn.Sequential(_conv(fine, middle, 1), nn.Conv2d(middle, POINTS, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits.

        Args:
            images: RGB in [-1, 1], (N, 3, S, S), S a multiple of 32.

        Returns:
            (N, 68, S / 4, S / 4).
        """
        fine = self.stem(images)
        middle = self.down1(fine)
        coarse = self.down2(middle)
        coarse = coarse + _twice(self.up3(self.down3(coarse)))
        middle = middle + _twice(self.up2(coarse))
        fine = fine + _twice(self.up1(middle))
        return self.out(fine)


class _Residual(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, entering: int, leaving: int, stride: int) -> None:
        super().__init__()
        self.first = _conv(entering, leaving, stride)
        self.second = nn.Sequential(nn.Conv2d(leaving, leaving, 3, padding=1, bias=False), nn.BatchNorm2d(leaving))
        same = entering == leaving and stride == 1
        self.short = nn.Identity() if same else _conv(entering, leaving, stride, kernel=1)

    def forward(self, maps: Tensor) -> Tensor:
        return F.relu(self.short(maps) + self.second(self.first(maps)))


def _conv(entering: int, leaving: int, stride: int, kernel: int = 3) -> nn.Sequential:
    conv = nn.Conv2d(entering, leaving, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(leaving), nn.ReLU())


def _twice(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2.0, mode="nearest")


def normalise(crops: Tensor) -> Tensor:
    """Bring RGB bytes (N, S, S, 3) to what the network takes: (N, 3, S, S) in [-1, 1], float32."""
    return (crops.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def computes_bfloat16() -> bool:
    """Tell whether this CPU computes with bfloat16; elsewhere it is emulated, several times slower than float32."""
    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
