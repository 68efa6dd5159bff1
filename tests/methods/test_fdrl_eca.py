import pytest
import torch
from pydantic import ValidationError
from tests.methods.networks import EXPRESSION, expression_batch

from openfer.labels import MISSING
from openfer.losses.balance import balance_loss
from openfer.losses.compactness import compactness_loss
from openfer.losses.distribution import distribution_loss
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.methods.contract import Batch
from openfer.methods.registry import build
from openfer.nn.complexity import count_parameters

CENTRES = 9 * 128 + 7 * 9


def fdrl(**config):
    torch.manual_seed(0)
    return build("fdrl_eca", config, EXPRESSION, {})


def faces(tiny_faces, count=14):
    pixels = torch.stack([torch.from_numpy(tiny_faces.store.image(row).copy()) for row in range(count)])
    return (pixels.permute(0, 3, 1, 2).float() / 255 - 0.45) / 0.225


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        ({}, 12_065_631),
        ({"centre_momentum": None}, 12_065_631 + CENTRES),
        ({"channel_attention": "none"}, 12_065_607),
        ({"decomposition": False}, 11_180_127),
        ({"kernel": "adaptive"}, 12_065_631 + 12),
        ({"branches": 5}, 12_065_631 - 4 * (512 * 128 + 2 * 128 * 128 + 3 * 128)),
    ],
    ids=str,
)
def test_every_row_has_the_parameters_of_the_digest(config, parameters):
    assert count_parameters(fdrl(**config)) == parameters


def test_centres_are_as_many_whether_they_learn_or_follow():
    method = fdrl()
    assert method.latent_centres.value.numel() + method.weight_centres.value.numel() == CENTRES == 1_215


def test_the_loss_is_the_sum_of_its_weighted_terms():
    weights = {"compactness": 0.5, "distribution": 2.0, "balance": 3.0}
    method, batch = fdrl(weights=weights, centre_momentum=None), expression_batch(6)
    (stage,) = method.stages()
    method.eval()  # batch statistics must not move between the two passes
    found = method.step(batch, stage)["main"]
    latent = method.decompose(torch.nn.functional.adaptive_avg_pool2d(method.trunk(batch.images)[-1], 1).flatten(1))
    feature, importance, _ = method.reconstruct(latent)
    labels = batch.labels["expression"]
    expected = {
        "classification": masked_cross_entropy(method.predict(feature), labels),
        "compactness": 0.5 * compactness_loss(latent, method.latent_centres.value),
        "distribution": 2.0 * distribution_loss(importance, method.weight_centres.value, labels),
        "balance": 3.0 * balance_loss(importance),
    }
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value.item(), rel=1e-4), name
    assert found["total"].item() == pytest.approx(sum(value.item() for value in expected.values()), rel=1e-4)


def test_what_is_watched_is_the_mean_weight_relation_and_length():
    method, batch = fdrl().eval(), expression_batch(6)
    found = method.step(batch, method.stages()[0])["main"]
    pooled = torch.nn.functional.adaptive_avg_pool2d(method.trunk(batch.images)[-1], 1).flatten(1)
    feature, importance, relation = method.reconstruct(method.decompose(pooled))
    assert found["watch/importance"].item() == pytest.approx(importance.mean().item(), rel=1e-4)
    others = relation[:, ~torch.eye(9, dtype=torch.bool)]
    assert found["watch/relation"].item() == pytest.approx(others.mean().item(), rel=1e-4)
    assert found["watch/feature_norm"].item() == pytest.approx(feature.norm(dim=1).mean().item(), rel=1e-4)


def test_a_class_centre_comes_to_lie_amid_the_weights_that_it_stands_for():
    method, batch = fdrl().eval(), expression_batch(7)
    for _ in range(2):
        method.step(batch, method.stages()[0])
    pooled = torch.nn.functional.adaptive_avg_pool2d(method.trunk(batch.images)[-1], 1).flatten(1)
    importance = method.reconstruct(method.decompose(pooled)).importance.detach()
    torch.testing.assert_close(
        method.weight_centres.value[batch.labels["expression"]], importance, rtol=1e-3, atol=1e-4
    )


def test_features_are_decomposed_and_classified_in_single_precision_under_autocast():
    method, pooled = fdrl().eval(), torch.randn(2, 512)
    with torch.autocast("cpu", torch.bfloat16):
        latent = method.decompose(pooled)
        logits = method._logits(latent[:, 0])
    assert latent.dtype == logits.dtype == torch.float32
    assert torch.equal(latent, method.decompose(pooled))


@pytest.mark.parametrize("momentum", [None, 0.9])
def test_everything_is_minimised_by_everything(momentum):
    method, batch = fdrl(centre_momentum=momentum), expression_batch(6)
    (stage,) = method.stages()
    (player,) = stage.players
    assert {id(p) for p in player.parameters} == {id(p) for p in method.parameters()}
    method.step(batch, stage)["main"]["total"].backward()
    without = [name for name, parameter in method.named_parameters() if parameter.grad is None]
    assert without == []


def test_moving_centres_follow_the_batch_and_not_the_gradient():
    method, batch = fdrl(centre_momentum=0.9).eval(), expression_batch(6)
    (stage,) = method.stages()
    losses = method.step(batch, stage)["main"]
    latent = method.decompose(torch.nn.functional.adaptive_avg_pool2d(method.trunk(batch.images)[-1], 1).flatten(1))
    torch.testing.assert_close(method.latent_centres.value, latent.mean(0).detach(), rtol=1e-4, atol=1e-5)
    spread = 1e-4 * (latent - latent.mean(0)).square().sum((1, 2)).mean()
    assert losses["compactness"].item() == pytest.approx(spread.item(), rel=1e-3)


def test_a_sample_without_a_label_moves_no_centre_of_a_class():
    method = fdrl(centre_momentum=0.9)
    batch = expression_batch(4)
    (stage,) = method.stages()
    labels = torch.tensor([3, MISSING, MISSING, 3])
    method.step(Batch(batch.images, {"expression": labels}), stage)
    assert (method.weight_centres.value.abs().sum(1) > 0).tolist() == [k == 3 for k in range(7)]


@pytest.mark.parametrize(("importance", "learns"), [("mean", True), ("l1", False)])
def test_the_relation_learns_at_the_start_with_the_mean_and_saturates_with_the_norm(tiny_faces, importance, learns):
    """Ambiguity 3: with the literal L1 norm every tanh is exactly 1 in single precision, its gradient exactly 0."""
    method = fdrl(importance=importance).train()
    pooled = torch.nn.functional.adaptive_avg_pool2d(method.trunk(faces(tiny_faces))[-1], 1).flatten(1)
    latent = method.decompose(pooled)
    out = method.reconstruct(latent)
    others = ~torch.eye(9, dtype=torch.bool)
    (gradient,) = torch.autograd.grad(out.relation.sum(), latent)
    if learns:
        assert 0.4 < out.importance.mean() < 0.6
        assert (out.relation[:, others] < 1).all()
        assert gradient.abs().max() > 1e-4
    else:
        assert 50 < out.importance.mean() < 80
        assert (out.relation[:, others] == 1).float().mean() > 0.99
        assert gradient.abs().max() < 1e-4


def test_the_feature_is_what_the_classifier_reads(tiny_faces):
    images = faces(tiny_faces, 3)
    for config, size in (({}, 128), ({"decomposition": False}, 512)):
        method = fdrl(**config).eval()
        with torch.no_grad():
            prediction = method(images)
            assert prediction.features.shape == (3, size)
            assert torch.equal(method.predict(prediction.features), prediction.logits["expression"])


@pytest.mark.parametrize("kernel", [2, 0, -3])
def test_a_kernel_that_is_not_odd_is_refused(kernel):
    with pytest.raises(ValidationError, match="give an odd number such as 3, or adaptive"):
        fdrl(kernel=kernel)


def test_delta_relation_and_importance_reach_the_reconstruction(tiny_faces):
    images = faces(tiny_faces, 2)

    def feature(**config):
        with torch.no_grad():
            return fdrl(**config).eval()(images).features

    plain = feature()
    for other in ({"relation": "cosine"}, {"relation": "negative_distance"}, {"importance": "l1"}, {"delta": 0.9}):
        assert not torch.allclose(feature(**other), plain), other
    method = fdrl(delta=1.0).eval()
    with torch.no_grad():
        latent = method.decompose(torch.nn.functional.adaptive_avg_pool2d(method.trunk(images)[-1], 1).flatten(1))
        importance = method.reconstruct(latent).importance
        torch.testing.assert_close(method(images).features, (importance[..., None] * latent).sum(1))
