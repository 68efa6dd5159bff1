"""The first of the two passes of sharpness-aware minimisation (SAM: Foret et al., ICLR 2021, Eq. 2)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

_TINY = 1e-12


@contextmanager
def uphill(parameters: Sequence[nn.Parameter], radius: float) -> Iterator[None]:
    """Move parameters by a distance along their gradient, and back to the same bits at the end.

    Args:
        parameters: with their gradients; those without one stay. A gradient that is not finite, as float16 has where
            its scale is too large, moves none of them.
        radius: the distance, over all parameters together.
    """
    moved = [(p, p.grad, p.detach().clone()) for p in parameters if p.grad is not None]
    with torch.no_grad():
        norm = torch.nn.utils.get_total_norm([gradient for _, gradient, _ in moved])
        for parameter, gradient, _ in moved:
            parameter.add_(torch.where(norm.isfinite(), gradient * (radius / (norm + _TINY)), 0.0))
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, _, before in moved:
                parameter.copy_(before)
