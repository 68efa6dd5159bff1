"""FDN and FRN against the paper's equations, branch by branch and pair by pair."""

import math

import pytest
import torch

from openfer.nn.complexity import count_parameters
from openfer.nn.feature_decomposition import FeatureDecomposition, FeatureReconstruction

BRANCHES, SIZE, INPUTS = 4, 6, 10


def reconstruction(importance="mean", relation="distance", delta=0.3):
    torch.manual_seed(1)
    return FeatureReconstruction(BRANCHES, SIZE, importance, relation, delta)


def latent_features(count=3):
    torch.manual_seed(2)
    return torch.rand(count, BRANCHES, SIZE)


def fully_connected(layers, branch, feature):
    weight = layers.weight.detach()[branch * SIZE : (branch + 1) * SIZE, :, 0]
    return weight @ feature + layers.bias.detach()[branch * SIZE : (branch + 1) * SIZE]


def similarity(kind, one, other):
    if kind == "cosine":
        return float(one @ other) / max(float(one.norm()) * float(other.norm()), 1e-12)
    distance = math.dist(one.tolist(), other.tolist())
    return distance if kind == "distance" else -distance


def test_a_latent_feature_is_its_own_branch_of_the_basic_feature():
    torch.manual_seed(0)
    decompose, x = FeatureDecomposition(INPUTS, BRANCHES, SIZE), torch.randn(3, INPUTS)
    found = decompose(x)
    assert found.shape == (3, BRANCHES, SIZE)
    for branch in range(BRANCHES):
        rows = slice(branch * SIZE, (branch + 1) * SIZE)
        expected = torch.relu(x @ decompose.project.weight[rows].T + decompose.project.bias[rows])
        torch.testing.assert_close(found[:, branch], expected)


@pytest.mark.parametrize("importance", ["mean", "l1"])
@pytest.mark.parametrize("relation", ["distance", "negative_distance", "cosine"])
def test_reconstruction_equals_equations_2_to_6_written_as_loops(importance, relation):
    network, latent = reconstruction(importance, relation), latent_features()
    found = network(latent)
    for sample in range(len(latent)):
        intra, nodes = [], []
        for branch in range(BRANCHES):
            gates = fully_connected(network.weigh, branch, latent[sample, branch]).sigmoid()
            alpha = float(gates.abs().sum()) / (SIZE if importance == "mean" else 1)
            assert found.importance[sample, branch].item() == pytest.approx(alpha, rel=1e-5)
            intra.append(alpha * latent[sample, branch])
            nodes.append(torch.relu(fully_connected(network.relate, branch, intra[-1])))
        y = torch.zeros(SIZE)
        for j in range(BRANCHES):
            inter = torch.zeros(SIZE)
            for m in range(BRANCHES):
                omega = 0.0 if j == m else math.tanh(similarity(relation, nodes[j], nodes[m]))
                assert found.relation[sample, j, m].item() == pytest.approx(omega, rel=1e-4, abs=1e-6)
                inter += omega * nodes[m]
            y += 0.3 * intra[j] + 0.7 * inter
        torch.testing.assert_close(found.feature[sample], y, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("relation", ["distance", "negative_distance", "cosine"])
def test_nobody_relates_to_itself(relation):
    omega = reconstruction(relation=relation)(latent_features()).relation
    assert (omega.diagonal(dim1=1, dim2=2) == 0).all()
    assert (omega[:, ~torch.eye(BRANCHES, dtype=torch.bool)] != 0).any()


def test_branches_share_no_weight():
    network = reconstruction()
    latent = latent_features(1).requires_grad_()
    gates = network(latent).importance
    (gradient,) = torch.autograd.grad(gates[0, 2], latent)
    assert (gradient[0].abs().sum(1) > 0).tolist() == [False, False, True, False]
    per_branch = SIZE * SIZE + SIZE
    assert count_parameters(network) == 2 * BRANCHES * per_branch


def test_equal_latent_features_of_equal_branches_keep_a_finite_gradient():
    network = reconstruction()
    for layers in (network.weigh, network.relate):
        with torch.no_grad():
            layers.weight.copy_(layers.weight[:SIZE].repeat(BRANCHES, 1, 1))
            layers.bias.copy_(layers.bias[:SIZE].repeat(BRANCHES))
    latent = torch.full((1, BRANCHES, SIZE), 0.5, requires_grad=True)
    out = network(latent)
    out.feature.sum().backward()
    assert out.relation.abs().max() == 0
    assert latent.grad is not None
    assert latent.grad.isfinite().all()


def test_everything_is_in_single_precision_under_autocast():
    network, latent = reconstruction(), latent_features()
    with torch.autocast("cpu", torch.bfloat16):
        out = network(latent)
    assert {value.dtype for value in out} == {torch.float32}
    assert torch.equal(out.relation, network(latent).relation)
