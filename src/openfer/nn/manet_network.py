"""MA-Net's network without its classifiers: a shared trunk, a local and a global branch (Zhao et al., TIP 2021)."""

import re
from typing import NamedTuple

import torch
import torchvision
from torch import Tensor, nn

from openfer.errors import ParameterError
from openfer.nn.attention_block import AttentionBlock
from openfer.nn.choices import GATE_MOMENTUM, MANetTrunk
from openfer.nn.dlib_resnet import DlibResNet29Trunk
from openfer.nn.multi_scale_block import MultiScaleBlock
from openfer.nn.staged_trunk import StagedTrunk

FEATURES = 512
"""Length of either branch's pooled feature."""

_PATCHES = 4
_LOCAL_BLOCKS = ((128, 256, 2), (256, 256, 1), (256, 512, 1), (512, 512, 1))
_GLOBAL_BLOCKS = ((128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1))
"""Channels in and out, and the stride."""

_MULTIPLE = 16
"""The map that is cut into quadrants is an eighth of the image, and its sides must be even."""

_PUBLISHED = (
    (r"^layer3_1_p(\d)\.(\d)", lambda m: f"patches.{int(m[1]) - 1}.{m[2]}"),
    (r"^layer4_1_p(\d)\.(\d)", lambda m: f"patches.{int(m[1]) - 1}.{int(m[2]) + 2}"),
    (r"^layer3_2\.(\d)", lambda m: f"whole.{m[1]}"),
    (r"^layer4_2\.(\d)", lambda m: f"whole.{int(m[1]) + 2}"),
    (r"\.conv([12])_2_(\d)\.", lambda m: f".chains.{int(m[1]) - 1}.{int(m[2]) - 1}.0."),
    (r"\.bn([12])_2_(\d)\.", lambda m: f".chains.{int(m[1]) - 1}.{int(m[2]) - 1}.1."),
    (r"\.ChannelGate\.mlp\.(\d)\.", lambda m: f".channel.{int(m[1]) - 1}."),
    (r"\.SpatialGate\.spatial\.conv\.", lambda m: ".spatial.0."),
    (r"\.SpatialGate\.spatial\.bn\.", lambda m: ".spatial.1."),
)
"""Names in the published checkpoints, part by part, and what they are called here."""


class LocalAndGlobal(NamedTuple):
    """What MA-Net sees in a batch.

    Attributes:
        quadrants: the local branch's maps of each of the four quadrants, (B, 512, h, w), 7 x 7 at 224 pixels.
        whole: the global branch's maps, (B, 512, h, w).
    """

    quadrants: tuple[Tensor, ...]
    whole: Tensor

    @property
    def patches(self) -> Tensor:
        """Return the maps of all quadrants, (4, B, 512, h, w)."""
        return torch.stack(self.quadrants)

    def tiled(self) -> Tensor:
        """Return the quadrants' maps where they belong, (B, 512, 2 h, 2 w)."""
        upper, lower = (torch.cat(pair, dim=3) for pair in (self.quadrants[:2], self.quadrants[2:]))
        return torch.cat([upper, lower], dim=2)

    def features(self) -> Tensor:
        """Return the average of the tiled and of the global maps, what the classifiers read: (2, B, 512).

        In single precision or better also under autocast, for diversity compares the two.
        """
        # Quadrants are of equal size: the average of their tiling is the average of their averages.
        precise = torch.promote_types(self.whole.dtype, torch.float32)
        return torch.stack([self.patches.mean((0, 3, 4), dtype=precise), self.whole.mean((2, 3), dtype=precise)])


class MANetwork(StagedTrunk):
    """ResNet-18's stem, layer1 and layer2, or dlib's first three stages, then two branches (50,540,032 parameters).

    - local: each quadrant of the 28 x 28 maps through 2 + 2 attention blocks of its own;
    - global: the whole maps through 2 + 2 multi-scale blocks.

    Args:
        gate_momentum: of the batch statistics in the attention's spatial gates.
        trunk: of the layers that both branches share.

    Attributes:
        dlib: the shared layers, where they are dlib's; ResNet-18's are parts of this network, by torchvision's names.
    """

    def __init__(self, gate_momentum: float = GATE_MOMENTUM, trunk: MANetTrunk = "resnet18") -> None:
        super().__init__()
        self.dlib: DlibResNet29Trunk | None = None
        if trunk == "resnet18":
            resnet = torchvision.models.resnet18(weights=None)
            self.conv1, self.bn1, self.relu, self.maxpool = resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool
            self.layer1, self.layer2 = resnet.layer1, resnet.layer2
        else:
            self.dlib = DlibResNet29Trunk(stages=3)
        self.patches = nn.ModuleList(
            nn.Sequential(*(AttentionBlock(*shape, gate_momentum) for shape in _LOCAL_BLOCKS)) for _ in range(_PATCHES)
        )
        self.whole = nn.Sequential(*(MultiScaleBlock(*shape) for shape in _GLOBAL_BLOCKS))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> LocalAndGlobal:
        """Look at images (B, 3, S, S), or at maps of the frozen parts of the shared layers.

        Raises:
            ParameterError: if the shared maps cannot be cut into quadrants: a side is no multiple of 16, or dlib's
                maps of it are odd.
        """
        shared = self._shared(images)
        quadrants = [part for half in shared.chunk(2, dim=2) for part in half.chunk(2, dim=3)]
        patches = tuple(network(part) for network, part in zip(self.patches, quadrants, strict=True))
        return LocalAndGlobal(patches, self.whole(shared))

    def _shared(self, images: Tensor) -> Tensor:
        if self.dlib is not None:
            maps: Tensor = self.dlib(images)[-1]
            if any(side % 2 for side in maps.shape[-2:]):
                raise ParameterError(
                    f"images are {images.shape[-2]} x {images.shape[-1]} pixels, of which dlib's maps are "
                    f"{maps.shape[-2]} x {maps.shape[-1]}, but manet cuts them into four equal quadrants; set "
                    "images.crop to 72 or 104"
                )
            return maps
        return self.all_maps(images)[-1]

    def first_maps(self, images: Tensor) -> Tensor:
        """Return the maps of ResNet-18's stem."""
        if any(side % _MULTIPLE for side in images.shape[-2:]):
            raise ParameterError(
                f"images are {images.shape[-2]} x {images.shape[-1]} pixels, but manet cuts their maps into four equal "
                f"quadrants; set images.crop to a multiple of {_MULTIPLE}, such as 64, or the paper's 224"
            )
        maps: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        return maps

    def shared_layers(self) -> tuple[nn.Module, ...]:
        """Return the layers with parameters that both branches share."""
        return (self.conv1, self.bn1, self.layer1, self.layer2) if self.dlib is None else (self.dlib,)

    def own_name(self, published: str) -> str:
        """Translate the name of a tensor in MA-Net's checkpoints (or in ResNet-18's, for the shared layers)."""
        for pattern, name in _PUBLISHED:
            published = re.sub(pattern, name, published)
        return published
