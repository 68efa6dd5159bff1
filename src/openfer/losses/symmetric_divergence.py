"""How far two predictions of the same sample are apart."""

from torch import Tensor

from openfer.losses.precision import widen


def symmetric_divergence(first: Tensor, second: Tensor) -> Tensor:
    """Mean of the two Kullback-Leibler divergences: ``(KL(P||Q) + KL(Q||P)) / 2`` (SNA, Eq. 12 and 13).

    Args:
        first: logits of P, (B, K).
        second: logits of Q, (B, K).

    Returns:
        For each sample a number >= 0 in nats, float32 or wider, (B,).
    """
    p, q = (widen(logits).log_softmax(dim=1) for logits in (first, second))
    return 0.5 * ((p.exp() - q.exp()) * (p - q)).sum(dim=1)
