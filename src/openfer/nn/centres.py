"""Centres of features, by gradient or as moving averages."""

from typing import cast

import torch
from torch import Tensor, nn


class Centres(nn.Module):
    """Centres of groups of feature vectors; they start at zero.

    Args:
        count: how many.
        size: length of each.
        momentum: None makes them parameters, which learn by gradient; a number makes them moving averages, which
            keep this share of themselves at each step and start at the first batch's means.
    """

    def __init__(self, count: int, size: int, momentum: float | None) -> None:
        super().__init__()
        self._momentum = momentum
        value = torch.zeros(count, size)
        if momentum is None:
            self.value = nn.Parameter(value)
        else:
            self.register_buffer("value", value)
            self.register_buffer("met", torch.zeros(count, dtype=torch.bool))

    @torch.no_grad()
    def follow(self, features: Tensor, owners: Tensor) -> None:
        """Move moving averages towards the means of a batch; centres that learn by gradient stay.

        Args:
            features: (N, size).
            owners: the number of the centre of each, int64, (N,); negative for none.
        """
        if self._momentum is None:
            return
        value, met = self.value, cast(Tensor, self.met)
        belongs = torch.nn.functional.one_hot(owners.clamp_min(0), len(value)) * (owners >= 0).unsqueeze(1)
        counts = belongs.sum(0)
        means = belongs.to(value.dtype).T @ features.to(value.dtype) / counts.clamp_min(1).unsqueeze(1)
        kept = torch.where(met, self._momentum, 0.0).unsqueeze(1)
        moved = kept * value + (1 - kept) * means
        value.copy_(torch.where((counts > 0).unsqueeze(1), moved, value))
        met.logical_or_(counts > 0)
