"""OADN's facial regions: the last maps cut into K blocks, each with its own classifier."""

from math import isqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.errors import ParameterError


def region_features(features: Tensor, regions: int) -> Tensor:
    """Return the average of each block of maps (OADN, Sec. 3.2).

    Blocks are m x m cells with ``m = ceil(side / sqrt(K))``, as in the paper's ``K = ceil(14 / m) * ceil(14 / n)``: of
    14 cells K = 4 makes 7 + 7, K = 16 makes 4 + 4 + 4 + 2. No two blocks overlap and no cell is left out.

    Args:
        features: F, (B, C, S, S).
        regions: K, a square number.

    Returns:
        (B, K, C), row by row from the upper left.

    Raises:
        ParameterError: if the maps have too few cells for the number of blocks.
    """
    side, across = features.shape[-1], isqrt(regions)
    block = -(-side // across)
    if features.shape[-2] != side or -(-side // block) != across:
        raise ParameterError(
            f"maps of {features.shape[-2]} x {side} cells cannot be cut into {across} x {across} regions of equal "
            "width but the last; choose another settings.regions, or larger images.crop"
        )
    return F.avg_pool2d(features, block, ceil_mode=True).flatten(2).transpose(1, 2)


class RegionHeads(nn.Module):
    """One small classifier for each region, or one for all.

    Args:
        heads: classifiers from (B, C) to hidden features and logits; K of them, or a single one that every region
            shares.
        regions: K.
    """

    def __init__(self, heads: list[nn.Module], regions: int) -> None:
        super().__init__()
        self.regions = regions
        self.heads = nn.ModuleList(heads)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return hidden features (B, K, H) and logits (B, K, classes) of maps F (B, C, S, S)."""
        pooled = region_features(features, self.regions)
        heads = list(self.heads) * (self.regions // len(self.heads))
        answers = [head(pooled[:, number]) for number, head in enumerate(heads)]
        hidden, logits = zip(*answers, strict=True)
        return torch.stack(hidden, dim=1), torch.stack(logits, dim=1)
