"""OADN: its counts, its two branches, what occlusion does to them, and each ambiguity's parameter."""

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from tests.methods.networks import EXPRESSION
from torch.utils.flop_counter import FlopCounterMode

from openfer.errors import DataError
from openfer.methods.contract import Batch
from openfer.methods.declaration import METHODS
from openfer.methods.declared.oadn import OADNSettings
from openfer.methods.oadn import averaged
from openfer.methods.registry import build
from openfer.nn.complexity import count_parameters
from openfer.training.gradient_share import gradient_shares

SIDE = 64
SMALL = {"blocks": (1, 1, 1, 1), "sigma": 0.168}


def small(**config):
    torch.manual_seed(0)
    return build("oadn", SMALL | config, EXPRESSION).eval()


def faces(count=3, score=1.0):
    """Random images, for algebra alone, and points somewhere on them."""
    generator = torch.Generator().manual_seed(1)
    points = 10 + 44 * torch.rand(count, 68, 2, generator=generator)
    scores = torch.full((count, 68, 1), score)
    images = torch.randn(count, 3, SIDE, SIDE, generator=generator)
    return Batch(images, {"expression": torch.arange(count) % 7}, {"landmarks": torch.cat([points, scores], 2)})


@pytest.fixture(scope="module")
def whole():
    return build("oadn", {}, EXPRESSION).eval()


@pytest.mark.parametrize(
    ("config", "parameters"),
    [({}, 26_139_747), ({"region_heads": "shared"}, 24_560_718), ({"regions": 16}, 32_455_863)],
    ids=["K=4", "K=4 shared", "K=16"],
)
def test_parameters_are_those_of_the_paper_s_layers(config, parameters):
    assert count_parameters(build("oadn", config, EXPRESSION)) == parameters


def test_a_prediction_at_224_pixels_costs_6_22_giga_multiply_accumulates(whole):
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        whole(torch.zeros(1, 3, 224, 224), {"landmarks": torch.zeros(1, 68, 3)})
    assert counter.get_total_flops() / 2 == 6_218_834_688  # convolutions, FCs and the attention's products


def test_its_maps_have_fourteen_cells_and_its_regions_two_by_two(whole):
    with torch.no_grad():
        maps = whole(torch.zeros(1, 3, 224, 224), {"landmarks": torch.full((1, 68, 3), 0.9)}).maps
    assert maps["attention"].shape == (1, 1, 14, 14)
    assert maps["regions"].shape == (1, 7, 2, 2)
    torch.testing.assert_close(maps["regions"].sum(1), torch.ones(1, 2, 2))


def test_the_losses_are_equations_3_to_5_at_lambda_03():
    method, batch = small(attention_weight=0.3), faces()
    (stage,) = method.stages()
    with torch.no_grad():
        losses = method.step(batch, stage)["main"]
        features = method.trunk(batch.images)
        seen = method.attend(batch.extras["landmarks"], SIDE, (4, 4))
        f_a = (features[:, None] * seen.maps[:, :, None]).mean((3, 4)).amax(1)
        lab = F.cross_entropy(method.attention_branch(f_a)[1], batch.labels["expression"])
        quarters = [features[:, :, a : a + 2, b : b + 2].mean((2, 3)) for a in (0, 2) for b in (0, 2)]
        heads = method.region_branch.heads
        frb = sum(F.cross_entropy(heads[k](quarters[k])[1], batch.labels["expression"]) for k in range(4))
    assert losses["attention"].item() == pytest.approx(0.3 * lab.item(), rel=1e-4)
    assert losses["regions"].item() == pytest.approx(0.7 * frb.item(), rel=1e-4)
    assert losses["total"].item() == pytest.approx(0.3 * lab.item() + 0.7 * frb.item(), rel=1e-4)
    assert losses["watch/kept_points"].item() == 1


@pytest.mark.parametrize(("pooling", "least", "most"), [("cells", 0.0, 0.1), ("weights", 0.1, 0.9)])
def test_divided_by_the_maps_weights_the_attention_branch_has_a_say_in_the_gradient(pooling, least, most):
    method, batch = small(attention_pooling=pooling).train(), faces()
    losses = method.step(batch, method.stages()[0])["main"]
    compared = method.shared_parameters()
    assert {id(parameter) for parameter in compared} == {id(p) for p in method.trunk.layer4.parameters()}
    shares = gradient_shares(losses, compared)
    assert set(shares) == {"watch/gradient_share_attention", "watch/gradient_share_regions"}
    assert least < shares["watch/gradient_share_attention"] < most


def test_a_weighted_map_is_divided_by_its_weights_where_asked():
    method, batch = small(attention_pooling="weights"), faces()
    with torch.no_grad():
        features = method.trunk(batch.images)
        seen = method.attend(batch.extras["landmarks"], SIDE, (4, 4))
        f_a = ((features[:, None] * seen.maps[:, :, None]).sum((3, 4)) / seen.maps.sum((2, 3))[..., None]).amax(1)
        lab = F.cross_entropy(method.attention_branch(f_a)[1], batch.labels["expression"])
        losses = method.step(batch, method.stages()[0])["main"]
    assert losses["attention"].item() == pytest.approx(0.5 * lab.item(), rel=1e-4)


def test_the_mean_of_the_regions_losses_is_a_quarter_of_their_sum():
    batch = faces()
    of = {r: small(frb_reduction=r) for r in ("sum", "mean")}
    with torch.no_grad():
        losses = {r: method.step(batch, method.stages()[0])["main"] for r, method in of.items()}
    assert losses["sum"]["regions"].item() == pytest.approx(4 * losses["mean"]["regions"].item(), rel=1e-5)
    assert torch.equal(losses["sum"]["attention"], losses["mean"]["attention"])


@pytest.mark.parametrize(
    ("name", "branches"),
    [("oadn", ["attention", "regions"]), ("oadn_lab", ["attention"]), ("oadn_frb", ["regions"])],
)
def test_both_losses_update_all_below_them_and_a_branch_of_weight_zero_is_not_built(name, branches):
    method, batch = small(**METHODS["oadn"].variants[name]).train(), faces()
    (stage,) = method.stages()
    losses = method.step(batch, stage)["main"]
    losses["total"].backward()
    assert method.variant == name
    assert [key for key in losses if key in ("attention", "regions")] == branches
    assert all(parameter.grad is not None for parameter in method.parameters())
    assert method.trunk.conv1.weight.grad.abs().sum() > 0


def test_the_backbone_alone_is_global_average_pooling_and_one_classifier():
    method, batch = small(**METHODS["oadn"].variants["oadn_backbone"]), faces()
    assert method.variant == "oadn_backbone"
    with torch.no_grad():
        pooled = method.trunk(batch.images).mean((2, 3))
        expected = method.region_branch.heads[0](pooled)[1].log_softmax(-1)
        torch.testing.assert_close(method(batch.images).logits["expression"], expected)


def test_the_branches_are_averaged_as_probabilities():
    method, batch = small(), faces()
    with torch.no_grad():
        found = method(batch.images, batch.extras).logits["expression"].exp()
        features = method.trunk(batch.images)
        seen = method.attend(batch.extras["landmarks"], SIDE, (4, 4))
        f_a = (features[:, None] * seen.maps[:, :, None]).mean((3, 4)).amax(1)
        p_lab = method.attention_branch(f_a)[1].softmax(-1)
        p_k = method.region_branch(features)[1].softmax(-1)
    torch.testing.assert_close(found, 0.5 * p_lab + 0.5 * p_k.mean(1), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.sum(1), torch.ones(3))


def test_votes_by_hand():
    """Two classes; the attention branch says 0.9, four regions 0.5, 0.5, 0.5 and 0.1 of the first."""
    shares = {"lab": [0.9], "frb": [0.5, 0.5, 0.5, 0.1]}
    logits = [torch.tensor([[[p, 1 - p] for p in own]]).log() for own in shares.values()]
    assert averaged(logits, "probabilities").exp()[0, 0].item() == pytest.approx(0.5 * 0.9 + 0.5 * 0.4)
    odds = torch.tensor([0.9 / 0.1, 1, 1, 1, 0.1 / 0.9]).log().mean().exp()  # of the mean of all five logits
    assert averaged(logits, "logits").exp()[0, 0].item() == pytest.approx((odds / (1 + odds)).item())


def test_all_points_covered_leave_the_regions_the_say():
    """f^A is zero then: the attention branch answers the same for every face, so the regions decide between faces."""
    method, batch = small(), faces(score=0.0)
    with torch.no_grad():
        prediction = method(batch.images, batch.extras)
        bias = method.attention_branch(torch.zeros(1, 2048))[1].softmax(-1)
        regions = method.region_branch(method.trunk(batch.images))[1].softmax(-1).mean(1)
    assert prediction.maps["attention"].abs().max() == 0
    probabilities = prediction.logits["expression"].exp()
    torch.testing.assert_close(probabilities, 0.5 * bias + 0.5 * regions, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(probabilities[0], probabilities[1])


def test_covering_all_points_changes_nothing_for_the_regions_alone():
    method, batch, covered = small(attention_weight=0.0), faces(), faces(score=0.0)
    with torch.no_grad():
        one, other = (method(batch.images, own.extras).logits["expression"] for own in (batch, covered))
    assert torch.equal(one, other)


@pytest.mark.parametrize(("threshold", "kept"), [(0.0, 24), (1.0, 0)])
def test_a_threshold_of_zero_keeps_all_points_and_one_keeps_none(threshold, kept):
    method = small(threshold=threshold)
    for score in (0.0, 1.0):
        seen = method.attend(faces(score=score).extras["landmarks"], SIDE, (4, 4))
        assert seen.kept.sum(1).tolist() == [kept] * 3


def test_a_mirrored_face_has_mirrored_attention():
    from openfer.faces.mirror import mirror_points

    method, landmarks = small(), faces().extras["landmarks"]
    mirrored = torch.from_numpy(mirror_points(landmarks.numpy(), SIDE))
    one, other = (method.attend(own, SIDE, (4, 4)).maps.amax(1) for own in (landmarks, mirrored))
    torch.testing.assert_close(other, one.flip(2))


def test_without_an_activation_a_head_is_linear():
    head = small(activation="none").attention_branch
    one, other = torch.randn(2, 2048), torch.randn(2, 2048)
    with torch.no_grad():
        between = head((one + other) / 2)[1]
        torch.testing.assert_close(between, (head(one)[1] + head(other)[1]) / 2, atol=1e-5, rtol=1e-4)
        relu = small().attention_branch
        assert (relu((one + other) / 2)[1] - (relu(one)[1] + relu(other)[1]) / 2).abs().max() > 1e-3


def test_images_without_landmarks_are_refused():
    with pytest.raises(DataError, match="images without landmarks"):
        small()(faces().images)


def test_the_paper_s_schedule_is_the_default():
    schedule = OADNSettings().schedule
    assert (schedule.optimiser, schedule.learning_rate, schedule.momentum) == ("sgd", 0.1, 0.9)
    assert (schedule.epochs, schedule.batch_size, schedule.weight_decay) == (60, 128, 5e-4)
    assert schedule.milestones == (20, 40)


@pytest.mark.parametrize(("rate", "expected"), [("scheduled", 0.1), ("fine_tuning", 0.001)])
def test_fine_tuning_steps_a_hundred_times_more_carefully(rate, expected):
    (stage,) = small(rate=rate).stages()
    assert stage.schedule.learning_rate == pytest.approx(expected)
    assert stage.schedule.milestones == (20, 40)


@pytest.mark.parametrize(
    "wrong", [{"regions": 5}, {"unstrided": "layer2"}, {"threshold": 1.1}, {"attention_weight": -1}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        OADNSettings.model_validate(wrong)
