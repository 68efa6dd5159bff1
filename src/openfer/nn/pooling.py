"""Pooling of attentive maps: the paper's windows at 224 pixels, one stated rule at other sizes.

ADDL gives windows and strides for 224-pixel images only: (10, 7), (8, 3) and (2, 2) bring
a_1..a_3 to the 7 x 7 of a_4 and a_5, and average windows of 3 (S_e) and 6 (S_d) ignore the last
row and column. At any other size a_1..a_3 are adaptively max-pooled to the size of the last map,
and the averages are adaptive to the same 2 x 2 and 1 x 1 cells. So every layer behind a pooling
has the same shape, and the parameters the same count, at every size.

Which of the two holds is decided once, by the widths of all five maps: the last one alone is also
7 x 7 for images of 193 to 220 pixels.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

_LITERAL_WIDTHS = (56, 28, 14, 7, 7)
_LITERAL_WINDOWS = ((10, 7), (8, 3), (2, 2))
_LITERAL_AVERAGES = {2: 3, 1: 6}


def concatenate_levels(maps: Sequence[Tensor]) -> Tensor:
    """Bring all attentive maps to the size of the last and concatenate them (ADDL, a_out, Eq. 3).

    Args:
        maps: a_1..a_5, each (B, C_j, H_j, W_j).

    Returns:
        (B, sum of C_j, H_5, W_5); at 224 pixels (B, 1472, 7, 7).
    """
    if have_papers_size(maps):
        pooled = [F.max_pool2d(level, *window) for level, window in zip(maps[:3], _LITERAL_WINDOWS, strict=True)]
    else:
        pooled = [F.adaptive_max_pool2d(level, maps[-1].shape[-2:]) for level in maps[:3]]
    return torch.cat([*pooled, *maps[3:]], dim=1)


def average_cells(maps: Tensor, cells: int, *, literal: bool) -> Tensor:
    """Average maps over ``cells`` x ``cells`` equal windows and flatten them.

    Args:
        maps: (B, C, H, W).
        cells: 2 for S_e (windows of 3 in a 7 x 7 map), 1 for S_d (a window of 6).
        literal: whether the attentive maps have the paper's size (:func:`have_papers_size`).

    Returns:
        (B, C * cells * cells).
    """
    if literal:
        return F.avg_pool2d(maps, _LITERAL_AVERAGES[cells]).flatten(1)
    return F.adaptive_avg_pool2d(maps, cells).flatten(1)


def have_papers_size(maps: Sequence[Tensor]) -> bool:
    """Return whether a_1..a_5 are as large as the paper's, so that its windows apply."""
    return [tuple(level.shape[-2:]) for level in maps] == [(width, width) for width in _LITERAL_WIDTHS]
