"""What valence and arousal add to ADDL, and what of it stays."""

import copy
from dataclasses import replace

import pytest
import torch
from tests.methods.networks import EXPRESSION, build_addl, build_dfem, checkpoint_of, expression_batch
from tests.methods.test_addl_routes import networks, reached

from openfer.errors import CheckpointError
from openfer.losses.concordance import concordance_loss
from openfer.losses.root_mean_square import root_mean_square_loss
from openfer.methods.declared.addl_va import ADDLVASettings
from openfer.methods.registry import build
from openfer.nn.complexity import count_parameters
from openfer.training.device import Plan
from openfer.training.optimisers import Optimisers

COUNT = 6
NAN = float("nan")
TARGETS = {
    "valence": torch.tensor([0.8, -0.5, NAN, 0.1, -0.2, 0.4]),
    "arousal": torch.tensor([0.3, 0.6, NAN, -0.4, NAN, 0.2]),
}


def models(**addl):
    return {"dfem": checkpoint_of(build_dfem()), "addl": checkpoint_of(build_addl(**addl))}


def build_addl_va(**config):
    torch.manual_seed(3)
    return build("addl_va", {"dropout": 0} | config, EXPRESSION, models())


def rated_batch():
    return replace(expression_batch(COUNT), targets=TARGETS)


def step(method, batch):
    torch.manual_seed(0)
    return method.step(batch, method.stages()[0])


@pytest.fixture(scope="module")
def method():
    return build_addl_va().train()


def test_it_begins_with_every_weight_of_the_trained_addl_and_one_new_layer():
    method, before = build_addl_va(), build_addl().own_state()
    own = method.own_state()
    assert set(own) - set(before) == {"affect.weight", "affect.bias"}
    assert all(torch.equal(own[name], value) for name, value in before.items())
    assert method.affect.weight.shape == (2, len(EXPRESSION["expression"]))


def test_at_test_time_it_has_sixteen_parameters_more_than_addl():
    networks = [("shared", "expression", "disturbance"), ("shared", "expression", "disturbance", "affect")]
    counted = [
        sum(count_parameters(getattr(built, name)) for name in names)
        for built, names in zip((build_addl(), build_addl_va()), networks, strict=True)
    ]
    assert counted[1] - counted[0] == 7 * 2 + 2


def test_both_values_are_a_linear_function_of_the_logits_and_not_squashed():
    method = build_addl_va().eval()
    with torch.no_grad():
        method.affect.weight.mul_(100)
        prediction = method(expression_batch(COUNT).images)
        expected = prediction.logits["expression"] @ method.affect.weight.T + method.affect.bias
    assert list(prediction.values) == ["valence", "arousal"]
    torch.testing.assert_close(torch.stack([*prediction.values.values()], 1), expected)
    assert prediction.values["valence"].abs().max() > 1


def test_the_joint_loss_is_addls_and_the_two_new_ones(method):
    batch = rated_batch()
    losses, before = step(copy.deepcopy(method), batch), step(build_addl(dropout=0).train(), batch)
    assert losses.keys() == before.keys()
    for player, terms in before.items():
        for name in terms.keys() - {"total"}:
            assert losses[player][name].item() == pytest.approx(before[player][name].item(), rel=1e-5), name
    with torch.no_grad():
        logits = method.expression(method.shared(batch.images)).logits
        values = logits @ method.affect.weight.T + method.affect.bias
    true = torch.stack([*TARGETS.values()], 1)
    expected = {
        "root_mean_square": root_mean_square_loss(values, true).item(),
        "concordance": concordance_loss(values, true).item(),
    }
    main = losses["main"]
    assert {name: main[name].item() for name in expected} == pytest.approx(expected, rel=1e-5)
    assert main["total"].item() == pytest.approx(before["main"]["total"].item() + sum(expected.values()), rel=1e-5)


def test_both_losses_have_a_weight_of_their_own():
    plain, weighted = (
        step(build_addl_va(**config).train(), rated_batch())["main"]
        for config in ({}, {"affect_weights": {"root_mean_square": 3.0, "concordance": 0.5}})
    )
    assert weighted["root_mean_square"].item() == pytest.approx(3 * plain["root_mean_square"].item())
    assert weighted["concordance"].item() == pytest.approx(plain["concordance"].item() / 2)


@pytest.mark.parametrize("term", ["root_mean_square", "concordance"])
def test_the_new_losses_reach_the_expression_path_and_no_other(method, term):
    assert reached(method, step(method, rated_batch())["main"], term) == {"shared", "expression", "affect"}


def test_faces_that_nobody_rated_teach_nothing_of_it(method):
    batch = replace(rated_batch(), targets={name: torch.full((COUNT,), NAN) for name in TARGETS})
    main = step(method, batch)["main"]
    assert main["root_mean_square"].item() == main["concordance"].item() == 0
    gradients = torch.autograd.grad(
        main["total"], method.stages()[0].players[0].parameters, allow_unused=True, retain_graph=True
    )
    assert all(gradient.isfinite().all() for gradient in gradients if gradient is not None)


def test_the_two_last_layers_learn_ten_times_as_fast_as_all_else():
    method = build_addl_va()
    (stage,) = method.stages()
    rates = {}
    optimisers = Optimisers(stage, Plan(torch.device("cpu"), torch.float32, False, False, 0))
    optimisers.set_epoch(0)
    for group in optimisers._optimisers["main"].param_groups:
        rates |= {id(parameter): group["lr"] for parameter in group["params"]}
    named = {name: rates[id(p)] for name, p in method.named_parameters() if id(p) in rates}
    fast = {name for name, rate in named.items() if rate == pytest.approx(1e-3)}
    assert fast == {name for name in named if name.startswith(("affect.", "expression.head.logits."))}
    assert all(rate == pytest.approx(1e-4) for name, rate in named.items() if name not in fast)
    assert {player.name: player.scales for player in stage.players[1:]} == {"discriminator": (), "mine": ()}


def test_what_the_paper_does_not_state_is_one_and_one():
    weights = ADDLVASettings().affect_weights
    assert (weights.root_mean_square, weights.concordance) == (1, 1)


def test_an_addl_of_other_expressions_or_factors_is_refused():
    given = models()
    given["addl"].facts["classes"]["expression"] = list(EXPRESSION["expression"])[::-1]
    with pytest.raises(CheckpointError, match=r"the list of expressions is anger, disgust, .* the same classes"):
        build("addl_va", {}, EXPRESSION, given)
    with pytest.raises(CheckpointError, match="list of fused factors is gender, race, of addl_va gender, age"):
        build("addl_va", {}, EXPRESSION, models(factors=["gender", "race"]))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weights": {"information": 0.0}}, "the list of opponents is D, of addl_va D, T; give both the same"),
        ({"importance": "equal"}, "the weighting of factors is equal, of addl_va learned"),
    ],
)
def test_an_addl_of_other_networks_is_refused_by_the_setting(settings, words):
    with pytest.raises(CheckpointError, match=words):
        build("addl_va", {}, EXPRESSION, models(**settings))


def test_the_order_of_the_factors_says_nothing_and_it_goes_on_from_the_same_networks():
    ours = {"factors": ["race", "gender"]}
    assert build("addl_va", ours, EXPRESSION, models(factors=["gender", "race"])).factors == ("gender", "race")


def test_no_objective_reaches_another_players_network_even_unrestricted(method):
    losses = step(method, rated_batch())
    assert {name: networks(reached(method, own, "total")) for name, own in losses.items()} == {
        "main": {"shared", "expression", "disturbance", "affect"},
        "discriminator": {"discriminator"},
        "mine": {"mine"},
    }


def test_it_does_not_train_without_an_addl():
    with pytest.raises(CheckpointError, match=r"addl_va needs the models \['dfem', 'addl'\], given \['dfem'\]"):
        build("addl_va", {}, EXPRESSION, {"dfem": models()["dfem"]})
