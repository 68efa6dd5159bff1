"""How strongly each term of a loss moves the parameters that all terms share."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from openfer.methods.contract import GRADIENT_SHARE, WATCH, Losses
from openfer.training import ranks

_SMALLEST_SUM = 1e-30


def gradient_shares(losses: Losses, parameters: Sequence[nn.Parameter]) -> Losses:
    """Return each term's share of the gradient of some parameters.

    A share is the norm of the term's gradient, over all the parameters together, divided by the sum of all terms'
    norms. The gradients of the parameters themselves stay as they are.

    Args:
        losses: named scalars of one player; watched scalars and ``total`` have no share. The graph is kept.
        parameters: such as those of a shared trunk; frozen ones do not count.

    Returns:
        A watched scalar in [0, 1] per term, together 1; empty with fewer than two terms or without parameters.
    """
    terms = {name: value for name, value in losses.items() if name != "total" and not name.startswith(WATCH)}
    parameters = [parameter for parameter in parameters if parameter.requires_grad]
    if len(terms) < 2 or not parameters:
        return {}
    norms = torch.stack([_norm(value, parameters) for value in terms.values()])
    shares = norms / norms.sum().clamp_min(_SMALLEST_SUM)
    return {f"{WATCH}{GRADIENT_SHARE}{name}": share for name, share in zip(terms, shares, strict=True)}


def _norm(loss: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    if not loss.requires_grad:
        return torch.zeros((), device=loss.device)
    every = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    gradients = [gradient for gradient in every if gradient is not None]
    ranks.average(gradients)
    norms = [torch.linalg.vector_norm(gradient.float()) for gradient in gradients]
    return torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros((), device=loss.device)
