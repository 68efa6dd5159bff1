"""Softmax over people with a margin: ArcFace's additive angular and CosFace's additive cosine margin."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from openfer.labels import MISSING
from openfer.losses.margin_settings import MarginKind
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.losses.precision import widen


def margin_cross_entropy(cosines: Tensor, labels: Tensor, kind: MarginKind, margin: float, scale: float) -> Tensor:
    """Mean cross-entropy of scaled cosines, those of the true class lowered by a margin.

    The true class's ``cos(theta)`` becomes ``cos(theta + margin)`` (``angular``; Deng, Guo, Xue and Zafeiriou, ArcFace,
    CVPR 2019, Eq. 3) or ``cos(theta) - margin`` (``cosine``; Wang et al., CosFace, CVPR 2018, Eq. 4). Where
    ``theta + margin`` passes pi, beyond which the cosine would rise again, the angular margin is
    ``cos(theta) - margin sin(margin)``, as in the authors' code.

    Args:
        cosines: of feature and class weight, in [-1, 1], (B, K).
        labels: int64 class indices, (B,); a sample with :data:`openfer.labels.MISSING` does not count.
        kind: which margin.
        margin: radians, or a difference of cosines; 0 is a plain softmax of the scaled cosines.
        scale: s, by which all cosines are multiplied.

    Returns:
        Scalar >= 0; zero when no sample is labelled.
    """
    cosines = widen(cosines)
    known = labels != MISSING
    chosen = F.one_hot(labels.clamp_min(0), cosines.shape[1]).bool() & known[:, None]
    lowered = cosines - margin if kind == "cosine" else _turned(cosines, margin)
    return masked_cross_entropy(scale * torch.where(chosen, lowered, cosines), labels)


def _turned(cosines: Tensor, margin: float) -> Tensor:
    # not down to zero, where the root has no finite gradient
    sines = (1 - cosines.square()).clamp_min(torch.finfo(cosines.dtype).eps).sqrt()
    turned = cosines * math.cos(margin) - sines * math.sin(margin)
    return torch.where(cosines > math.cos(math.pi - margin), turned, cosines - margin * math.sin(margin))
