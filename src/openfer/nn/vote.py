"""The majority vote of an ensemble."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from openfer.losses.precision import widen
from openfer.nn.choices import Ties

_SMALL = 1e-3
"""Of a vote, times the number of classes: far too little to outvote anyone, and no class has none."""


def majority_vote(logits: Tensor, ties: Ties = "first", order: Sequence[int] | None = None) -> Tensor:
    """Let every learner vote for its most probable class.

    Args:
        logits: of L learners, (L, B, K).
        ties: who wins among classes with the same number of votes: the ``first`` one, as in ESR's public code (the
            lowest class index; openfer's order of expressions is that of AffectNet, and so of that code); the first
            one in the order of ``raf_db``'s codes, as in that code for RAF-DB; or the one with the highest mean
            ``probability``.
        order: class indices, the first one first; by default from 0 on. Without effect on ``probability``.

    Returns:
        (B, K), float32 or better: logits whose softmax is the share of votes, up to what breaks ties: 0.001 of a
        vote per class before and including, or less than a vote.
    """
    with torch.autocast(logits.device.type, enabled=False):
        logits = widen(logits)
        classes = logits.shape[-1]
        votes = F.one_hot(logits.argmax(-1), classes).sum(0).to(logits.dtype)
        ranks = logits.new_empty(classes)
        ranks[list(range(classes) if order is None else order)] = torch.arange(classes, 0, -1).to(logits)
        favour = (
            _SMALL * ranks if ties != "probability" else logits.softmax(-1).mean(0) * (1 - _SMALL) + _SMALL / classes
        )
        return torch.log(votes + favour)
