import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from tests.methods.networks import EXPRESSION, expression_batch

from openfer.labels import MISSING
from openfer.methods.contract import Batch
from openfer.methods.registry import build
from openfer.methods.scn import relabelled
from openfer.nn.complexity import count_macs, count_parameters


def made(**settings):
    torch.manual_seed(0)
    return build("scn", settings, EXPRESSION, {})


def losses_of(method, batch, epoch=0):
    (stage,) = method.stages()
    method.on_epoch_start(stage, epoch)
    return method.step(batch, stage)["main"]


def test_its_size_and_cost_are_those_of_addls_table_12():
    method = made().eval()
    assert count_parameters(method) == 11_180_616
    assert count_macs(method, torch.zeros(1, 3, 224, 224)) == pytest.approx(1.82e9, rel=0.005)


def test_the_logits_are_the_classifiers_weighed_by_the_importance():
    method, images = made().eval(), expression_batch(3).images
    with torch.no_grad():
        feature = method.trunk(images)[-1].mean((2, 3))
        alpha = 1 / (1 + torch.exp(-method.attention(feature)))
        predicted = method(images)
        torch.testing.assert_close(predicted.logits["expression"], alpha * method.classifier(feature))
        torch.testing.assert_close(predicted.features, feature)


def test_the_loss_is_the_weighted_cross_entropy_and_the_ranking_in_their_proportion():
    method, batch = made(balance=0.25).eval(), expression_batch()
    losses = losses_of(method, batch)
    predicted = method(batch.images)
    alpha = method.attention(predicted.features).sigmoid().squeeze(1).sort(descending=True).values
    count = round(0.7 * len(alpha))
    ranking = max(0.0, 0.15 - (alpha[:count].mean() - alpha[count:].mean()).item())
    cross_entropy = F.cross_entropy(predicted.logits["expression"], batch.labels["expression"]).item()
    assert losses["classification"].item() == pytest.approx(0.25 * cross_entropy, rel=1e-5)
    assert losses["rank_regularisation"].item() == pytest.approx(0.75 * ranking, rel=1e-5)
    assert losses["total"].item() == pytest.approx(0.25 * cross_entropy + 0.75 * ranking, rel=1e-5)
    assert losses["watch/importance"].item() == pytest.approx(alpha.mean().item(), rel=1e-5)


def test_every_parameter_learns():
    method = made()
    (stage,) = method.stages()
    losses = losses_of(method, expression_batch())
    losses["total"].backward(inputs=list(stage.players[0].parameters))
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in method.parameters())


def test_the_ranking_alone_leaves_the_classifier_untouched():
    method = made(balance=0.0)
    losses_of(method, expression_batch())["total"].backward()
    assert not method.classifier.weight.grad.any()
    assert method.attention.weight.grad.any()
    assert method.trunk.conv1.weight.grad.any()


def test_a_label_is_corrected_only_where_another_class_is_likelier_by_more_than_the_margin():
    probabilities = torch.tensor([[0.5, 0.3, 0.2], [0.45, 0.3, 0.25], [0.2, 0.7, 0.1], [0.9, 0.05, 0.05]])
    labels = torch.tensor([2, 1, 1, MISSING])
    assert relabelled(probabilities.log(), labels, 0.2).tolist() == [0, 1, 1, MISSING]
    assert relabelled(probabilities.log(), labels, 0.1).tolist() == [0, 0, 1, MISSING]


def sure_of(method, batch, wanted):
    """Let the network answer ``wanted`` with certainty and rank every sample by its number."""
    alpha = torch.linspace(0.9, 0.1, len(wanted))
    logits = 50.0 * F.one_hot(wanted, 7).float()
    method._see = lambda images: type("Seen", (), {"importance": alpha, "logits": logits})()


def test_only_the_low_group_is_relabelled_and_only_from_the_epoch_on_that_the_settings_name():
    method, batch = made(), expression_batch(10)
    given = batch.labels["expression"]
    sure_of(method, batch, (given + 1) % 7)
    assert losses_of(method, batch, epoch=9)["watch/relabelled"] == 0
    losses = losses_of(method, batch, epoch=10)
    assert losses["watch/relabelled"].item() == pytest.approx(0.3)
    # seven keep a label that the network is sure is wrong, three have the one that it is sure of
    assert losses["classification"].item() == pytest.approx(0.5 * 50.0 * 7 / 10, rel=1e-4)
    assert torch.equal(batch.labels["expression"], given)


def test_samples_without_a_label_are_ranked_and_not_classified():
    method, batch = made().eval(), expression_batch()
    none = torch.full_like(batch.labels["expression"], MISSING)
    unlabelled = losses_of(method, Batch(batch.images, {"expression": none}), epoch=10)
    assert unlabelled["classification"] == 0
    assert unlabelled["watch/relabelled"] == 0
    assert unlabelled["rank_regularisation"].item() == pytest.approx(
        losses_of(method, batch)["rank_regularisation"].item()
    )


@pytest.mark.parametrize("wrong", [{"high_share": 1.0}, {"balance": 1.5}, {"relabel_from": -1}, {"beta": 0.7}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        made(**wrong)
