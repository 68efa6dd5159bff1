"""Attention transfer: a student's feature maps follow the direction of a teacher's."""

from collections.abc import Sequence

import torch
from torch import Tensor

from openfer.losses.precision import widen

_SMALLEST_NORM = 1e-12
_DIMENSIONS = (1, 2, 3)


def attention_transfer_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Sum over levels of the distance between unit-length maps, averaged over the batch.

    ``L_AT = sum_j || q_j^d / ||q_j^d|| - q_j^p / ||q_j^p|| ||_2`` (ADDL, Eq. 9), where q_j is the
    whole map of level j of one sample, read as one vector. The paper's text normalises each
    sample; the public code of its predecessor DDL divides by the norm of the whole batch, which
    would make a sample's loss depend on its neighbours.

    Args:
        student: L maps (B, C_j, H_j, W_j), such as S_d's attentive maps; gradients flow into them.
        teacher: L maps of the same shapes, such as DFEM's; constants, even if they need gradients.

    Returns:
        Scalar in [0, 2 L]; zero when every pair of maps differs only by a positive scale.

    Raises:
        ValueError: if the levels differ in number or shape.
    """
    shapes = [tuple(maps.shape) for maps in student], [tuple(maps.shape) for maps in teacher]
    if shapes[0] != shapes[1]:
        raise ValueError(f"attention maps differ in shape: student {shapes[0]}, teacher {shapes[1]}")
    return torch.stack([_distance(q, p.detach()).mean() for q, p in zip(student, teacher, strict=True)]).sum()


def _distance(student: Tensor, teacher: Tensor) -> Tensor:
    return torch.linalg.vector_norm(_unit(student) - _unit(teacher), dim=_DIMENSIONS)


def _unit(maps: Tensor) -> Tensor:
    maps = widen(maps)  # a sum of 200,704 squares has no digit left in bfloat16
    norm = torch.linalg.vector_norm(maps, dim=_DIMENSIONS, keepdim=True)  # no flatten: keeps channels_last
    return maps / norm.clamp_min(_SMALLEST_NORM)
