"""Feature decomposition and reconstruction (FDRL-ECANet, Sec. 3.2 and 3.3): one feature becomes M and one again.

Layers that the paper has M times side by side are one layer here: the same parameters, drawn alike, in one product.
Everything is computed in single precision, also under autocast: a relation is the tanh of a distance, which bfloat16
rounds to 1 from 3.5 on.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.nn.choices import Importance, Relation


class FeatureDecomposition(nn.Module):
    """FDN: M fully connected layers with ReLU, ``l_j = relu(W_dj x)`` (Eq. 1).

    Args:
        inputs: length of the basic feature x.
        branches: M.
        size: length of a latent feature.
    """

    def __init__(self, inputs: int, branches: int, size: int) -> None:
        super().__init__()
        self.branches = branches
        self.project = nn.Linear(inputs, branches * size)

    def forward(self, feature: Tensor) -> Tensor:
        """Return the latent features l, (B, M, D), of features (B, inputs)."""
        with torch.autocast(feature.device.type, enabled=False):
            latent = F.relu(self.project(feature.float()))
            return latent.view(-1, self.branches, latent.shape[1] // self.branches)  # any batch, when exported


class Reconstructed(NamedTuple):
    """What FRN makes of latent features.

    Attributes:
        feature: y, (B, D) (Eq. 6).
        importance: alpha, (B, M).
        relation: omega, (B, M, M), zero on the diagonal (Eq. 3).
    """

    feature: Tensor
    importance: Tensor
    relation: Tensor


class FeatureReconstruction(nn.Module):
    """FRN: weighs latent features one by one (intra), relates them to each other (inter), and adds them up.

    Intra: ``alpha_j = || sigmoid(W_sj l_j) ||_1``, ``f_j = alpha_j l_j``. Inter: ``g_j = relu(W_ej f_j)`` (Eq. 2),
    ``omega(j, m) = tanh(S(g_j, g_m))`` for j != m (Eq. 3), ``f^_j = sum_m omega(j, m) g_m`` (Eq. 4).
    ``y_j = delta f_j + (1 - delta) f^_j`` (Eq. 5), ``y = sum_j y_j`` (Eq. 6).

    Args:
        branches: M.
        size: D.
        importance: ``l1`` is the equation's norm, about D / 2 at the start; ``mean`` divides it by D, which gives
            the (0, 1) of the paper's text.
        relation: S: the Euclidean distance, its negative, or the cosine.
        delta: share of the intra features.
    """

    def __init__(self, branches: int, size: int, importance: Importance, relation: Relation, delta: float) -> None:
        super().__init__()
        width = branches * size
        self.weigh = nn.Conv1d(width, width, 1, groups=branches)
        self.relate = nn.Conv1d(width, width, 1, groups=branches)
        self._importance, self._relation, self._delta = importance, relation, delta

    def forward(self, latent: Tensor) -> Reconstructed:
        """Reconstruct one feature from latent features (B, M, D)."""
        with torch.autocast(latent.device.type, enabled=False):
            latent = latent.float()
            gates = _each(self.weigh, latent).sigmoid()  # positive, so that a sum is an L1 norm
            importance = gates.mean(2) if self._importance == "mean" else gates.sum(2)
            intra = importance.unsqueeze(2) * latent
            nodes = F.relu(_each(self.relate, intra))
            relation = torch.tanh(self._similarity(nodes))
            relation = relation - torch.diag_embed(relation.diagonal(dim1=1, dim2=2))
            inter = relation @ nodes
            feature = (self._delta * intra + (1 - self._delta) * inter).sum(1)
            return Reconstructed(feature, importance, relation)

    def _similarity(self, nodes: Tensor) -> Tensor:
        if self._relation == "cosine":
            directions = F.normalize(nodes, dim=2)
            return directions @ directions.transpose(1, 2)
        distance = torch.linalg.vector_norm(nodes.unsqueeze(2) - nodes.unsqueeze(1), dim=3)  # ONNX has no cdist
        return distance if self._relation == "distance" else -distance


def _each(layers: nn.Conv1d, features: Tensor) -> Tensor:
    """Apply to each of (B, M, D) its own layer: a convolution of length 1 in M groups."""
    return layers(features.flatten(1).unsqueeze(2)).squeeze(2).view_as(features)
