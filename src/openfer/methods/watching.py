"""What several methods watch in training beside their losses."""

import torch
from torch import Tensor

from openfer.methods.contract import WATCH, Losses


def watched_similarity(kind: str, similarity: Tensor) -> Losses:
    """Return a similarity matrix (L, L) as watched scalars: its mean off the diagonal, and every pair.

    Args:
        kind: of what, such as ``channel``.
        similarity: symmetric; learners count from 1 in the names.
    """
    values = similarity.detach()
    count = len(values)
    one, other = torch.triu_indices(count, count, offset=1).tolist()
    pairs = {f"{WATCH}pair_{kind}_{i + 1}_{j + 1}": values[i, j] for i, j in zip(one, other, strict=True)}
    return {f"{WATCH}similarity_{kind}": torch.stack([*pairs.values()]).mean()} | pairs
