import copy

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from tests.methods.networks import EXPRESSION, expression_batch, face_batch, moved_by
from torch.utils.flop_counter import FlopCounterMode

from openfer.losses.diversity import diversity, similarity_matrix
from openfer.methods.declared.manet import MANetSettings
from openfer.methods.registry import build
from openfer.nn.cbam import CBAM
from openfer.nn.complexity import count_parameters
from openfer.nn.undrawn import Undrawn

SIZE = 64
KINDS = ("branch", "spatial", "channel")


@pytest.fixture(scope="module")
def shared_method():
    return manet()


def manet(**config):
    torch.manual_seed(0)
    return build("manet", config, EXPRESSION)


@pytest.fixture
def method(shared_method):
    return copy.deepcopy(shared_method)


def test_parameters_are_the_papers_and_convolutions_cost_what_the_digest_says(shared_method):
    assert count_parameters(shared_method) == 50_547_214
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        copy.deepcopy(shared_method).eval()(torch.zeros(1, 3, 224, 224))
    assert counter.get_total_flops() / 2 == pytest.approx(3.638e9, rel=1e-3)


def test_the_loss_weighs_the_branches_and_rewards_three_diversities(method):
    batch = expression_batch(4, SIZE)
    method.train()
    losses = method.step(batch, method.stages()[0])["main"]
    seen = method.network(batch.images)
    local, whole = (
        F.cross_entropy(head(feature), batch.labels["expression"])
        for head, feature in zip(method.heads, (seen.tiled().mean((2, 3)), seen.whole.mean((2, 3))), strict=True)
    )
    learners = {
        "branch": torch.stack([seen.tiled().mean((2, 3)), seen.whole.mean((2, 3))]),
        "spatial": seen.patches.mean(2),
        "channel": seen.patches.mean((3, 4)),
    }
    expected = {"classification_local": 0.6 * local, "classification_global": 0.4 * whole} | {
        f"diversity_{kind}": -0.1 * diversity(similarity_matrix(features, 10.0, "mean"), "logdet")
        for kind, features in learners.items()
    }
    for name, value in expected.items():
        assert losses[name].item() == pytest.approx(value.item(), rel=1e-3, abs=1e-4), name
    assert losses["total"].item() == pytest.approx(sum(expected.values()).item(), rel=1e-4)
    assert all(parameter.requires_grad for parameter in method.stages()[0].players[0].parameters)


def test_the_balance_weighs_loss_and_prediction():
    method, batch = manet(balance=0.9).train(), expression_batch(4, SIZE)
    losses = method.step(batch, method.stages()[0])["main"]
    seen = method.network(batch.images)
    local, whole = (head(feature) for head, feature in zip(method.heads, seen.features(), strict=True))
    assert losses["classification_local"].item() == pytest.approx(
        0.9 * F.cross_entropy(local, batch.labels["expression"]).item(), rel=1e-3
    )
    assert losses["classification_global"].item() == pytest.approx(
        0.1 * F.cross_entropy(whole, batch.labels["expression"]).item(), rel=1e-3
    )
    method.eval()
    with torch.no_grad():
        local, whole = (h(f) for h, f in zip(method.heads, method.network(batch.images).features(), strict=True))
        torch.testing.assert_close(method(batch.images).logits["expression"], 0.9 * local + 0.1 * whole)


def test_without_diversity_it_is_ma_net_and_watches_how_alike_its_parts_are():
    method = manet(diversify=()).train()
    losses = method.step(expression_batch(4, SIZE), method.stages()[0])["main"]
    assert method.variant == "manet"
    assert not any(name.startswith("diversity") for name in losses)
    assert {f"watch/similarity_{kind}" for kind in KINDS} <= set(losses)
    assert losses["total"].item() == pytest.approx(
        (losses["classification_local"] + losses["classification_global"]).item()
    )


@pytest.mark.parametrize("trunk", ["resnet18", "dlib_resnet29"])
def test_the_terms_are_compared_on_the_layers_that_both_branches_share(trunk):
    with Undrawn():
        method = manet(trunk=trunk)
    compared = {id(parameter) for parameter in method.shared_parameters()}
    alone = (*method.network.patches.parameters(), *method.network.whole.parameters(), *method.heads.parameters())
    assert compared == {id(p) for p in method.parameters()} - {id(p) for p in alone}
    assert {name.rsplit("_", 1)[1] for name in method.watch_bounds} == set(KINDS)


def test_diversity_has_a_gradient_at_its_defaults_and_the_literal_equation_has_none(tiny_faces):
    batch = face_batch(tiny_faces)
    found = {}
    for name, settings in (("default", {}), ("literal", {"distance": "sum", "surrogate": "det"})):
        method = manet(diversity=settings).train()
        losses = method.step(batch, method.stages()[0])["main"]
        found[name] = {kind: moved_by(losses[f"diversity_{kind}"], method.network.parameters()) for kind in KINDS}
    assert all(share > 0.005 for share in found["default"].values()), found
    assert found["literal"]["channel"] == found["literal"]["branch"] == 0


def test_the_prediction_fuses_both_branches_by_their_balance(method):
    method.eval()
    images = expression_batch(2, SIZE).images
    with torch.no_grad():
        prediction, seen = method(images), method.network(images)
        local, whole = (head(feature) for head, feature in zip(method.heads, seen.features(), strict=True))
    torch.testing.assert_close(prediction.logits["expression"], 0.6 * local + 0.4 * whole)
    torch.testing.assert_close(prediction.features, torch.cat([*seen.features()], dim=1))
    assert prediction.maps["local"].shape == (2, 4, 4)
    assert prediction.maps["global"].shape == (2, 2, 2)


def test_similarities_of_each_image_average_to_the_matrices(method):
    method.eval()
    images = expression_batch(3, SIZE).images
    with torch.no_grad():
        found, seen = method.similarities(images), method.network(images)
    assert {kind: tuple(own.shape) for kind, own in found.items()} == {
        "branch": (3, 2, 2), "spatial": (3, 4, 4), "channel": (3, 4, 4),
    }  # fmt: skip
    torch.testing.assert_close(found["spatial"].mean(0), similarity_matrix(seen.patches.mean(2), 10.0, "mean"))
    torch.testing.assert_close(found["branch"].mean(0), similarity_matrix(seen.features(), 10.0, "mean"))


def test_the_schedule_is_the_papers():
    schedule = MANetSettings().schedule
    assert (schedule.epochs, schedule.batch_size, schedule.learning_rate) == (100, 128, 0.01)
    assert (schedule.momentum, schedule.weight_decay, schedule.milestones) == (0.9, 1e-4, (15, 30, 45, 60, 75, 90))


def test_a_kind_of_diversity_that_does_not_exist_or_comes_twice_is_refused():
    for diversify in (["patch"], ["branch", "branch"]):
        with pytest.raises(ValidationError, match="diversify"):
            MANetSettings.model_validate({"diversify": diversify})


def test_the_momentum_of_the_gates_statistics_reaches_every_gate():
    with Undrawn():
        method = manet(gate_momentum=0.3)
    gates = [module for module in method.modules() if isinstance(module, CBAM)]
    assert len(gates) == 4 * 4
    assert {gate.spatial[1].momentum for gate in gates} == {0.3}
