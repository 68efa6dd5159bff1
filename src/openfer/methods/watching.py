"""What several methods watch in training beside their losses."""

from collections.abc import Iterable
from itertools import combinations

import torch
from torch import Tensor

from openfer.methods.contract import GRADIENT_SHARE, WATCH, Losses, WatchBounds


def watched_similarity(kind: str, similarity: Tensor) -> Losses:
    """Return a similarity matrix (L, L) as watched scalars: its mean off the diagonal, and every pair.

    Args:
        kind: of what, such as ``channel``.
        similarity: symmetric; learners count from 1 in the names.
    """
    values = similarity.detach()
    count = len(values)
    pairs = {f"{WATCH}pair_{kind}_{i + 1}_{j + 1}": values[i, j] for i, j in combinations(range(count), 2)}
    return {f"{WATCH}similarity_{kind}": torch.stack([*pairs.values()]).mean()} | pairs


def diversity_bounds(kinds: Iterable[str]) -> dict[str, WatchBounds]:
    """Return the bounds of the diversity terms' shares of the gradient of the shared layers.

    Args:
        kinds: what is made different, such as ``channel``.
    """
    meaning = "diversity moves the shared layers more than classification does; lower settings.diversity.weight"
    return {f"main/{WATCH}{GRADIENT_SHARE}diversity_{kind}": WatchBounds(0.0, 0.5, meaning) for kind in kinds}
