"""The game between the disturbance subnetwork and the discriminator of ADDL."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from openfer.losses.precision import widen


def discriminator_loss(prior: Tensor, disturbance: Tensor) -> Tensor:
    """What the discriminator minimises: tell the weighted prior feature from the learned one.

    ``L_AD = -E log D(f^m) - E log(1 - D(f^d))`` (ADDL, Eq. 8): binary cross-entropy with f^m as
    the real and f^d as the generated sample.

    Args:
        prior: logits of D for the weighted features f^m, (B, 1).
        disturbance: logits of D for the disturbance features f^d, (B, 1).

    Returns:
        Scalar >= 0; ``2 log 2`` when D cannot tell them apart.
    """
    return _says_real(prior) + _says_generated(disturbance)


def confusion_loss(
    prior: Tensor, disturbance: Tensor, form: Literal["non_saturating", "saturating"] = "non_saturating"
) -> Tensor:
    """What the network minimises against the discriminator: both targets exchanged, or the negative of Eq. 8.

    ``BCE(D(f^d), 1) + BCE(D(f^m), 0)``, or ``- L_AD``, the ``max`` of Eq. 7. Eq. 14 read literally adds
    ``+ lambda_1 L_AD`` to what the network minimises, which would make it help D. Of the exchanged targets the first
    term is the non-saturating loss of the public DDL code; the second is the only route by which
    the importance weights alpha, which enter through f^m alone, learn to confuse D.

    Args:
        prior: logits of D for f^m, (B, 1).
        disturbance: logits of D for f^d, (B, 1).
        form: ``non_saturating`` exchanges the targets; ``saturating`` is ``- L_AD``, whose gradient vanishes where D is
            sure and right.

    Returns:
        Scalar. Exchanged it is >= 0, and ``2 log 2`` when D cannot tell them apart; saturating it is <= 0.
    """
    if form == "saturating":
        return -discriminator_loss(prior, disturbance)
    return _says_real(disturbance) + _says_generated(prior)


def _says_real(logits: Tensor) -> Tensor:
    return F.softplus(-widen(logits)).mean()  # -log sigmoid(z)


def _says_generated(logits: Tensor) -> Tensor:
    return F.softplus(widen(logits)).mean()  # -log(1 - sigmoid(z))
