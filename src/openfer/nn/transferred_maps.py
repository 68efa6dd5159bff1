"""Which maps of ADDL's disturbance branch follow which of DFEM's: the readings of Eq. 9."""

from collections.abc import Sequence

from torch import Tensor

from openfer.nn.choices import Transferred
from openfer.nn.mask_attention import AttentionOutput


def transferred_maps(
    reading: Transferred, blocks: Sequence[AttentionOutput], taps: Sequence[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the maps q_j^d of the student and q_j^p of the teacher, five each, of equal shapes.

    Args:
        reading: see :attr:`openfer.methods.declared.addl.ADDLSettings.transferred`.
        blocks: outputs of S_d's five attention blocks.
        taps: of DFEM's trunk: stem and four layers, each as large as the tap that S_d's block of that number sees.
    """
    if reading == "channel_masks":
        return [block.mask for block in blocks], list(taps)
    teacher = [*taps[1:], taps[-1]]
    if reading == "mixed_maps":
        return [*(block.seen for block in blocks[1:]), blocks[-1].attentive], teacher
    student = [block.attentive for block in blocks]
    if reading == "spatial_maps":
        return [_over_channels(maps) for maps in student], [_over_channels(maps) for maps in teacher]
    return student, teacher


def _over_channels(maps: Tensor) -> Tensor:
    return maps.float().square().sum(1, keepdim=True)
