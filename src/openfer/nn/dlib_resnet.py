"""dlib's face recognition network as a trunk that returns a feature map after each of its five parts."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from openfer.nn.image_size import refuse_small
from openfer.nn.staged_trunk import StagedTrunk

TAP_CHANNELS = (32, 32, 64, 128, 256)
"""Channels of the five taps."""

BLOCKS = ((32, 3), (64, 4), (128, 3), (256, 3))
"""Width and number of the residual blocks of each stage; from the second on the first one halves the maps."""

SMALLEST_SIDE = 55
"""Pixels of the shortest image side: the last map then has one cell. From 71 pixels on it has 2 x 2."""

_LEAST_VARIANCE = 1e-9
"""Added to the taps' variances, which of some channels of the last tap are only about 1e-5."""


class DlibBlock(nn.Module):
    """Two convolutions with a shortcut, no batch normalisation: dlib's affine layers are part of the convolutions.

    Where the maps are halved, the shortcut is a 2 x 2 average, and both sides are filled with zeros to the larger of
    their sizes and numbers of channels, as dlib does.

    Args:
        inputs: channels of the input.
        outputs: channels of the output, at least as many.
        halve: whether the maps become half as wide.
    """

    def __init__(self, inputs: int, outputs: int, *, halve: bool) -> None:
        super().__init__()
        self.halve = halve
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2 if halve else 1, padding=0 if halve else 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.attention: nn.Module = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's maps."""
        residual = self.attention(self.conv2(F.relu(self.conv1(x))))
        shortcut = F.avg_pool2d(x, 2) if self.halve else x
        size = [max(one, other) for one, other in zip(residual.shape[-2:], shortcut.shape[-2:], strict=True)]
        channels = residual.shape[1]
        return F.relu(_filled(residual, channels, size) + _filled(shortcut, channels, size))


class DlibResNet29Trunk(StagedTrunk):
    """The first 27 of the 29 convolutions of dlib's face recognition network (4,394,560 parameters).

    The taps are the stem and the four stages, as wide in relation to each other as ResNet-18's are. dlib's last
    block, which needs images of about 100 pixels, and its descriptor are left out: what tells people apart forgets
    expressions. It takes RGB images less the mean of its training images, divided by 256; the weights manifest
    states both. See :func:`openfer.nn.dlib_file.read_dlib` for its weights.

    The network has no normalisation, and all that its maps of different faces share hides what differs: fine-tuned for
    two epochs, the Baseline was at chance on rendered faces, with normalisation at 50 to 60 %. So each tap is brought
    to mean 0 and deviation 1 per channel, by batch statistics, when it is handed out; from stage to stage maps go on
    as dlib's.

    Args:
        attention: makes a layer that weighs the channels of every block before its shortcut is added.
        stages: how many of the four stages there are.
        unstrided: whether the last stage keeps the size of its maps; no weight changes its shape.
    """

    def __init__(
        self, attention: Callable[[int], nn.Module] | None = None, *, stages: int = 4, unstrided: bool = False
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, TAP_CHANNELS[0], 7, stride=2)
        inputs = TAP_CHANNELS[0]
        for number, (outputs, count) in enumerate(BLOCKS[:stages], start=1):
            halve = inputs != outputs and not (unstrided and number == stages)
            self.add_module(f"layer{number}", _stage(inputs, outputs, count, halve=halve))
            inputs = outputs
        self.taps = nn.ModuleList(
            nn.BatchNorm2d(width, eps=_LEAST_VARIANCE, affine=False) for width in TAP_CHANNELS[: stages + 1]
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        if attention is not None:
            for block in [module for module in self.modules() if isinstance(module, DlibBlock)]:
                block.attention = attention(block.conv2.out_channels)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the five taps, or as many as there are stages and one.

        Args:
            images: (B, 3, H, W), normalised, H and W at least :data:`SMALLEST_SIDE`; or maps of the frozen parts, which
                the taps then begin with.

        Returns:
            Maps with :data:`TAP_CHANNELS` channels; at 104 pixels 24, 24, 12, 6 and 3 wide.

        Raises:
            ParameterError: if the images are too small.
        """
        maps = self.all_maps(images)
        return tuple(normalise(tap) for normalise, tap in zip([*self.taps][-len(maps) :], maps, strict=True))

    def first_maps(self, images: Tensor) -> Tensor:
        """Return the maps of the stem."""
        refuse_small(images, SMALLEST_SIDE, 104)
        return F.max_pool2d(F.relu(self.stem(images)), 3, stride=2)

    def is_new(self, name: str) -> bool:
        """Return whether a tensor is none of dlib's: of the taps' normalisation, or of channel attention."""
        return name.startswith("taps.") or ".attention." in name


def _stage(inputs: int, outputs: int, count: int, *, halve: bool) -> nn.Sequential:
    first = DlibBlock(inputs, outputs, halve=halve)
    return nn.Sequential(first, *(DlibBlock(outputs, outputs, halve=False) for _ in range(count - 1)))


def _filled(maps: Tensor, channels: int, size: list[int]) -> Tensor:
    missing = (0, size[1] - maps.shape[3], 0, size[0] - maps.shape[2], 0, channels - maps.shape[1])
    return F.pad(maps, missing) if any(missing) else maps
