"""Diversity of learners: how different their features are (Heidari and Iosifidis, 2022)."""

import torch
from torch import Tensor

from openfer.losses.diversity_settings import Diagonal, Distance, DiversitySettings, Surrogate
from openfer.losses.precision import widen

_EPSILON = 1e-3
"""What ``logdet`` adds to the diagonal: equal learners then have a finite value, nearly equal ones a gradient."""


def diversity_of(features: Tensor, settings: DiversitySettings) -> tuple[Tensor, Tensor]:
    """Return D of L learners' features (L, N, ...) under some settings, and S (L, L)."""
    similarity = similarity_matrix(features, settings.gamma, settings.distance, settings.diagonal)
    return diversity(similarity, settings.surrogate), similarity


def similarity_matrix(
    features: Tensor, gamma: float, distance: Distance = "sum", diagonal: Diagonal = "paper"
) -> Tensor:
    """Mean similarity of every two learners over the batch.

    ``S_lk = 1/N sum_i exp(-gamma || phi_l(x_i) - phi_k(x_i) ||^2)`` (Eq. 1).

    Args:
        features: phi of L learners for N samples, (L, N, ...); all further dimensions are one vector.
        gamma: how fast similarity falls with distance.
        distance: ``sum`` of squares, the equation's; or their ``mean`` over the vector's length.
        diagonal: ``paper``, S_ll = 1 as Eq. 1 has it; or ``code``, 0, as the authors' code has it.

    Returns:
        S, (L, L), symmetric, float32 or better, entries in [0, 1].
    """
    return similarity_by_sample(features, gamma, distance, diagonal).mean(0)


def similarity_by_sample(
    features: Tensor, gamma: float, distance: Distance = "sum", diagonal: Diagonal = "paper"
) -> Tensor:
    """Return every sample's own similarities, (N, L, L), whose mean is :func:`similarity_matrix`."""
    with torch.autocast(features.device.type, enabled=False):
        learners = widen(features).flatten(2)
        count = len(learners)
        one, other = torch.triu_indices(count, count, offset=1, device=learners.device)
        squares = (learners[one] - learners[other]).square()
        reduced = squares.sum(-1) if distance == "sum" else squares.mean(-1)
        similar = torch.exp(-gamma * reduced)
        matrices = similar.new_zeros(count, count, similar.shape[1])
        matrices = matrices.index_put((one, other), similar).index_put((other, one), similar).permute(2, 0, 1)
        return matrices if diagonal == "code" else matrices + _identity(count, similar)


def diversity(similarity: Tensor, surrogate: Surrogate = "det") -> Tensor:
    """Return how much learners differ; training maximises it.

    ``D = det(S)`` (Eq. 2), 1 for learners that have nothing in common and 0 where two are equal. With S's
    unit diagonal D lies in between. With the zero diagonal of the authors' code and one similarity s of all
    pairs it is ``(-1)^(L-1) (L-1) s^L``: for an odd number of learners it grows with s, and to maximise it
    makes learners equal.

    Args:
        similarity: S, (L, L), of :func:`similarity_matrix`.
        surrogate: ``det``, the equation's; or ``logdet``, ``log det(S + 0.001 I) / L``, which has a gradient
            also where three or more learners are nearly equal and that of the determinant is zero.

    Returns:
        Scalar.
    """
    with torch.autocast(similarity.device.type, enabled=False):
        if surrogate == "det":
            return torch.linalg.det(similarity)
        regular = similarity + _EPSILON * _identity(len(similarity), similarity)
        return torch.linalg.slogdet(regular).logabsdet / len(similarity)


def _identity(size: int, like: Tensor) -> Tensor:
    return torch.eye(size, dtype=like.dtype, device=like.device)


def over_space(maps: Tensor) -> Tensor:
    """Return the mean of maps over space, (..., C, H, W) -> (..., C), float32 or better."""
    return maps.mean((-2, -1), dtype=torch.promote_types(maps.dtype, torch.float32))


def over_channels(maps: Tensor) -> Tensor:
    """Pool maps to where they show something: (..., C, H, W) -> (..., H, W), the mean over channels, as precise."""
    return maps.mean(-3, dtype=torch.promote_types(maps.dtype, torch.float32))
