"""Choices and limits of the networks that settings name; readable without torch."""

from typing import Annotated, Literal

from pydantic import AfterValidator

BACKBONES = ("resnet18", "eca_resnet18", "resnet50", "dlib_resnet29", "resnet18_small_images")
"""The names of :data:`openfer.nn.trunks.TRUNKS`."""

TrunkName = Literal["resnet18", "resnet18_small_images", "dlib_resnet29"]
"""Which trunk a method that is built on ResNet-18 takes: the papers', one of no paper with a stem for small images, or
dlib's, whose weights are openly licensed."""

MANetTrunk = Literal["resnet18", "dlib_resnet29"]
"""Which trunk MA-Net's shared layers are of."""

LastFrozen = Literal["none", "stem", "layer1", "layer2", "layer3", "layer4"]
"""Up to which of its parts a trunk keeps its first weights."""

GATE_MOMENTUM = 0.01
"""Momentum of the batch statistics of CBAM's spatial gate in the public code; torch's default is 0.1."""


def _odd(kernel: str | int) -> str | int:
    if isinstance(kernel, int) and (kernel < 1 or kernel % 2 == 0):
        raise ValueError(f"kernel is {kernel}; give an odd number such as 3, or adaptive")
    return kernel


Kernel = Annotated[Literal["adaptive"] | int, AfterValidator(_odd)]
"""Length of ECA's convolution: an odd number, or ``adaptive`` for
:func:`openfer.nn.channel_attention.adaptive_kernel`."""

Importance = Literal["mean", "l1"]
"""How FDRL-ECANet computes the importance of a latent feature."""

Relation = Literal["distance", "negative_distance", "cosine"]
"""What FDRL-ECANet computes between two latent features."""

Ties = Literal["first", "raf_db", "probability"]
"""Who wins a majority vote where classes have the same number of votes."""

Pool = Literal["after_a", "end"]
"""Where a stage of the two-scale network halves its maps: behind its first convolution, the only place that gives both
sizes which Table II lists for a stage, or behind its last one."""

TWO_SCALE_SMALLEST_SIDE = 32
"""Pixels of the image's side: the half branch halves its 16 pixels four times."""

AUTOENCODER_SMALLEST_SIDE = 32
"""Pixels of the image's side: the last maps have two cells."""

RESNET50 = (3, 4, 6, 3)
"""Bottleneck blocks of the four stages of ResNet-50."""

AttentionPooling = Literal["cells", "weights"]
"""What OADN divides the sum of an attended map by: the number of its cells, or the sum of its weights."""

Transferred = Literal["block_outputs", "mixed_maps", "channel_masks", "spatial_maps"]
"""Which maps ADDL's attention transfer compares."""
