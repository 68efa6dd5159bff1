"""What each term of ADDL's game is, recomputed from its features, and whom its gradient reaches."""

import pytest
import torch
import torch.nn.functional as F
from tests.methods.networks import OWNERS, build_addl, expression_batch

from openfer.losses.adversarial import confusion_loss, discriminator_loss
from openfer.losses.attention_transfer import attention_transfer_loss
from openfer.losses.mutual_information import mutual_information_bound
from openfer.methods import addl
from openfer.methods.addl import weighted_feature

COUNT = 6


def step(method, seed=3, count=3):
    torch.manual_seed(seed)
    return method.step(expression_batch(count), method.stages()[0])


def reached(method, losses, term):
    """Name the networks that the gradient of one unrestricted term reaches, SA apart from the rest of S_d."""
    method.zero_grad()
    losses[term].backward(retain_graph=True)
    parts = {name: network for name, network in method.named_children() if name != "disturbance"}
    parts |= {f"disturbance.{name}": network for name, network in method.disturbance.named_children()}
    return {name for name, part in parts.items() if any(_moved(parameter) for parameter in part.parameters())}


def _moved(parameter):
    return parameter.grad is not None and bool(parameter.grad.abs().sum() > 0)


def networks(found):
    return {name.split(".")[0] for name in found}


BRANCH = {"disturbance.attention", "disturbance.feature"}
"""S_d as far as f^d."""

SA = "disturbance.importance"


@pytest.fixture(scope="module")
def method():
    return build_addl().train()


@pytest.fixture(scope="module")
def losses(method):
    return step(method)


@pytest.mark.parametrize("player", OWNERS)
def test_no_objective_reaches_another_players_network_even_unrestricted(method, losses, player):
    assert networks(reached(method, losses[player], "total")) == set(OWNERS[player])


@pytest.mark.parametrize(
    ("term", "parts"),
    [
        ("classification", {"shared", "expression"}),
        ("adversarial", {"shared", *BRANCH, SA}),
        ("attention_transfer", {"shared", "disturbance.attention"}),
        ("mutual_information", {"shared", "expression", *BRANCH}),
    ],
)
def test_each_term_of_the_joint_loss_reaches_what_it_is_to_teach(method, losses, term, parts):
    assert reached(method, losses["main"], term) == parts


def test_the_adversarial_term_reaches_s_d_through_the_discriminators_answer_to_f_d(method, monkeypatch):
    monkeypatch.setattr(addl, "confusion_loss", lambda prior, disturbance, form: disturbance.sum())
    assert reached(method, step(method)["main"], "adversarial") == {"shared", *BRANCH}


def test_the_adversarial_term_reaches_sa_and_through_it_s_d_by_the_answer_to_f_m(method, monkeypatch):
    monkeypatch.setattr(addl, "confusion_loss", lambda prior, disturbance, form: prior.sum())
    assert reached(method, step(method)["main"], "adversarial") == {"shared", *BRANCH, SA}


def test_the_gradient_by_f_m_reaches_f_d_through_sa_by_the_chain_rule():
    """f^m = sum_j alpha_j f_j^p with alpha = sigmoid(W f^d + b): written out, for every sample."""
    torch.manual_seed(0)
    method = build_addl(dropout=0).train()
    f_d = torch.randn(3, 128, requires_grad=True)
    priors, wanted = torch.randn(3, 6, 128), torch.randn(3, 128)
    layer = method.disturbance.importance
    (weighted_feature(layer(f_d), priors) * wanted).sum().backward()
    alpha = layer(f_d).detach()
    for sample in range(3):
        expected = torch.zeros(128)
        for factor in range(6):
            slope = alpha[sample, factor] * (1 - alpha[sample, factor])
            expected += (priors[sample, factor] @ wanted[sample]) * slope * layer[0].weight[factor].detach()
        torch.testing.assert_close(f_d.grad[sample], expected, rtol=1e-4, atol=1e-5)


def test_every_importance_weight_learns(method, losses):
    reached(method, losses["main"], "total")
    layer = method.disturbance.importance[0]
    assert (layer.bias.grad.abs() > 0).all()
    assert (layer.weight.grad.abs().sum(dim=1) > 0).all()


def test_the_main_objective_pushes_the_disturbance_feature_against_the_discriminator():
    torch.manual_seed(0)
    discriminator = build_addl().discriminator
    f_d, f_m = torch.randn(6, 128, requires_grad=True), torch.randn(6, 128, requires_grad=True)
    ours = torch.autograd.grad(confusion_loss(discriminator(f_m), discriminator(f_d)), [f_d, f_m])
    literal = torch.autograd.grad(discriminator_loss(discriminator(f_m), discriminator(f_d)), [f_d, f_m])
    for a, b in zip(ours, literal, strict=True):
        assert F.cosine_similarity(a.flatten(), b.flatten(), dim=0) < -0.9


def test_every_term_is_its_equation_of_the_features_that_the_networks_give():
    method, batch = build_addl(dropout=0).train(), expression_batch(COUNT)
    losses = step(method, seed=0, count=COUNT)
    torch.manual_seed(0)  # without dropout the permutation is the first draw
    shuffle = torch.randperm(COUNT)
    with torch.no_grad():
        shared = method.shared(batch.images)
        logits, f_e, _ = method.expression(shared)
        f_d, alpha, blocks = method.disturbance(shared)
        maps = [block.attentive for block in blocks]
        f_p, (_, *layers) = method.dfem.extract(batch.images, method.factors)
        teachers = [*layers, layers[-1]]
        f_m = weighted_feature(alpha, f_p)
        bound = mutual_information_bound(method.mine, f_d, f_e, shuffle).item()
        answers = method.discriminator(f_m), method.discriminator(f_d)
    assert abs(bound) > 1e-4
    main = {
        "classification": F.cross_entropy(logits, batch.labels["expression"]).item(),
        "adversarial": confusion_loss(*answers).item(),
        "attention_transfer": 0.1 * attention_transfer_loss(maps, teachers).item(),
        "mutual_information": 0.001 * bound,  # the network descends what T ascends
    }
    expected = {
        "main": main | {"total": sum(main.values())},
        "discriminator": dict.fromkeys(("discrimination", "total"), discriminator_loss(*answers).item()),
        "mine": dict.fromkeys(("negative_bound", "total"), -bound),
    }
    for player, terms in expected.items():
        found = {name: losses[player][name].item() for name in losses[player] if not name.startswith("watch/")}
        assert found == pytest.approx(terms, rel=1e-4)


def test_both_sides_shuffle_f_e_by_one_permutation_of_the_batch_that_differs_between_steps(monkeypatch):
    method, seen = build_addl(dropout=0).train(), []

    def bound(estimator, first, second, permutation):
        seen.append(permutation.tolist())
        return mutual_information_bound(estimator, first, second, permutation)

    monkeypatch.setattr(addl, "mutual_information_bound", bound)
    for seed in range(3):
        step(method, seed, COUNT)
    assert seen[0::2] == seen[1::2]
    assert all(sorted(permutation) == list(range(COUNT)) for permutation in seen)
    assert len({tuple(permutation) for permutation in seen}) == 3
