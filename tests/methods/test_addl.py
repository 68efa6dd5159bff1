import pytest
import torch
from pydantic import ValidationError
from tests.methods.networks import EXPRESSION, OWNERS, build_addl, build_dfem, checkpoint_of, expression_batch

from openfer.errors import CheckpointError, ParameterError, TrainingError
from openfer.labels import FACTORS
from openfer.losses.attention_transfer import attention_transfer_loss
from openfer.losses.mutual_information import mutual_information_bound
from openfer.methods.addl import weighted_feature
from openfer.methods.declared.addl import ADDLSettings
from openfer.methods.registry import build


def snapshot(method):
    return {name: value.clone() for name, value in method.state_dict().items()}


def update(method, player_name, steps=1):
    """Let one player alone take optimiser steps on its own objective."""
    stage = method.stages()[0]
    player = next(player for player in stage.players if player.name == player_name)
    optimiser = torch.optim.Adam(player.parameters, lr=1e-3)
    torch.manual_seed(4)
    for _ in range(steps):
        losses = method.step(expression_batch(), stage)
        optimiser.zero_grad()
        losses[player_name]["total"].backward(inputs=list(player.parameters))
        optimiser.step()


@pytest.fixture(scope="module")
def method():
    return build_addl().train()


@pytest.mark.parametrize("player", OWNERS)
def test_a_players_update_changes_its_own_networks_and_nothing_else(player):
    method = build_addl().train()
    method.step(expression_batch(), method.stages()[0])  # batch statistics move whoever plays; start after that
    before = snapshot(method)
    update(method, player)
    after = method.state_dict()
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    changed = {name for name in before if not torch.equal(before[name], after[name]) and not name.endswith(statistics)}
    owned = {name for name in before if name.startswith(OWNERS[player]) and not name.endswith(statistics)}
    assert changed
    assert changed <= owned
    assert {name.split(".")[0] for name in changed} == set(OWNERS[player])


def test_dfem_stays_as_it_is_batch_statistics_included():
    method = build_addl().train()
    before = snapshot(method.dfem)
    update(method.train(), "main")
    after = method.dfem.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not method.dfem.training
    assert method.shared.training
    assert not any(parameter.requires_grad for parameter in method.dfem.parameters())


def test_every_parameter_belongs_to_exactly_one_player_and_dfem_to_none(method):
    owned = [id(p) for player in method.stages()[0].players for p in player.parameters]
    assert len(owned) == len(set(owned))
    assert set(owned) == {id(p) for name, p in method.named_parameters() if not name.startswith("dfem.")}


def test_only_the_main_players_learning_rate_decays(method):
    assert {player.name: player.decays for player in method.stages()[0].players} == {
        "main": True,
        "discriminator": False,
        "mine": False,
    }


def test_the_main_player_makes_the_discriminator_err_more():
    method = build_addl().train()
    update(method, "discriminator", steps=2)
    torch.manual_seed(0)
    before = method.step(expression_batch(), method.stages()[0])["discriminator"]["total"].item()
    update(method, "main", steps=2)
    torch.manual_seed(0)
    after = method.step(expression_batch(), method.stages()[0])["discriminator"]["total"].item()
    assert after > before


def test_the_estimators_update_raises_its_bound_on_the_same_features():
    method, batch = build_addl(dropout=0).train(), expression_batch()
    with torch.no_grad():
        shared = method.shared(batch.images)
        f_d, f_e = method.disturbance(shared).feature, method.expression(shared).feature

    def bound():
        return sum(
            mutual_information_bound(method.mine, f_d, f_e, torch.tensor(permutation)).item()
            for permutation in ([1, 2, 0], [2, 0, 1])
        )

    before = bound()
    update(method, "mine", steps=4)
    assert bound() > before


def test_the_lambdas_weigh_their_terms():
    weights = {"adversarial": 0.5, "attention_transfer": 0.2, "information": 0.0}
    found = []
    for config in ({}, {"weights": weights}):
        method = build_addl(dropout=0, **config).train()
        torch.manual_seed(0)
        found.append(method.step(expression_batch(), method.stages()[0])["main"])
    paper, other = found
    assert other["adversarial"].item() == pytest.approx(0.5 * paper["adversarial"].item())
    assert other["attention_transfer"].item() == pytest.approx(2 * paper["attention_transfer"].item())
    assert "mutual_information" not in other
    assert ADDLSettings().weights.model_dump() == {"adversarial": 1.0, "attention_transfer": 0.1, "information": 0.001}


def readings_of_equation_9(method, images):
    """Return by reading the student's and the teacher's maps, written out block by block."""
    stem, *layers = method.dfem.trunk(images)
    blocks = method.disturbance.attention.blocks
    outputs, masks, mixes = [], [], []
    for block, tap in zip(blocks, method.shared(images), strict=True):
        mix = tap
        if outputs:
            of_tap, of_map = block.mixing.softmax(0)
            mix = of_tap * tap + of_map * outputs[-1]
            mixes.append(mix)
        masks.append(block.mask(mix))
        outputs.append(block.transform(masks[-1] * tap))
    teachers = [*layers, layers[-1]]
    return {
        "block_outputs": (outputs, teachers),
        "mixed_maps": ([*mixes, outputs[-1]], teachers),
        "channel_masks": (masks, [stem, *layers]),
        "spatial_maps": tuple([m.square().sum(1, keepdim=True) for m in maps] for maps in (outputs, teachers)),
    }


@pytest.mark.parametrize("reading", ["block_outputs", "mixed_maps", "channel_masks", "spatial_maps"])
def test_attention_is_transferred_from_dfem_to_the_disturbance_branch_by_the_reading_that_is_asked_for(reading):
    method = build_addl(dropout=0, transferred=reading).train()
    batch = expression_batch()
    found = method.step(batch, method.stages()[0])["main"]["attention_transfer"]
    with torch.no_grad():
        readings = readings_of_equation_9(method, batch.images)
    expected = {name: 0.1 * attention_transfer_loss(*maps).item() for name, maps in readings.items()}
    assert found.item() == pytest.approx(expected[reading], rel=1e-4)
    assert len({round(value, 5) for value in expected.values()}) == 4
    found.backward()
    assert all(p.grad is not None for p in method.disturbance.attention.blocks[0].mask.parameters())


def test_the_discriminator_may_have_milestones_of_its_own():
    assert {player.name: player.milestones for player in build_addl().stages()[0].players} == {
        "main": (), "discriminator": (), "mine": (),
    }  # fmt: skip
    method = build_addl(discriminator_milestones=[20, 28, 35])
    assert {p.name: p.milestones for p in method.stages()[0].players}["discriminator"] == (20, 28, 35)


@pytest.mark.parametrize("milestone", [0, 40])
def test_a_milestone_that_the_discriminator_does_not_reach_in_training_is_refused(milestone):
    with pytest.raises(ValidationError, match=rf"discriminator_milestones are \[{milestone}\]"):
        ADDLSettings(discriminator_milestones=(milestone,))


def test_the_saturating_form_of_equation_7_is_the_negative_of_the_discriminators_loss():
    method = build_addl(dropout=0, confusion="saturating").train()
    losses = method.step(expression_batch(), method.stages()[0])
    assert losses["main"]["adversarial"].item() == pytest.approx(-losses["discriminator"]["discrimination"].item())


def test_factor_features_are_summed_by_importance_and_not_normalised():
    importance, features = torch.rand(2, 3), torch.randn(2, 3, 4)
    expected = [[sum(importance[i, j] * features[i, j, d] for j in range(3)) for d in range(4)] for i in range(2)]
    assert torch.allclose(weighted_feature(importance, features), torch.tensor(expected))


def test_predictions_are_the_same_with_and_without_dfem():
    with_dfem = build_addl().eval()
    without = build("addl", {}, EXPRESSION).eval()
    without.load_own_state(with_dfem.own_state())
    images = expression_batch(2).images
    with torch.no_grad():
        ours, theirs = with_dfem(images), without(images)
        assert torch.equal(ours.logits["expression"], theirs.logits["expression"])
        assert torch.equal(ours.features, theirs.features)
        assert torch.equal(ours.maps["attentive"], theirs.maps["attentive"])
        assert torch.equal(with_dfem.importance(images), without.importance(images))
    assert (ours.logits["expression"].shape, ours.features.shape) == ((2, 7), (2, 128))
    assert ours.maps["attentive"].shape == (2, 1, 2, 2)


def test_inference_runs_the_shared_and_the_expression_network_only():
    method = build_addl().eval()
    images = expression_batch(1).images
    for network in (method.disturbance, method.discriminator, method.mine, method.dfem):
        network.forward = None
    method(images)


def test_importance_weights_need_neither_opponents_nor_dfem():
    method = build("addl", {}, EXPRESSION).eval()
    weights = method.importance(expression_batch(3).images)
    assert weights.shape == (3, 6)
    assert ((weights > 0) & (weights < 1)).all()


def test_training_without_dfem_is_refused_with_what_to_do():
    method = build("addl", {}, EXPRESSION)
    with pytest.raises(TrainingError, match="run the dfem pipeline first"):
        method.step(expression_batch(2), method.stages()[0])


def test_a_needed_model_that_is_not_given_is_named():
    with pytest.raises(CheckpointError, match=r"needs the models \['dfem'\], given \[\]"):
        build("addl", {}, EXPRESSION, {})


def test_the_checkpoint_excludes_dfem_and_fits_again():
    method = build_addl()
    assert not any(name.startswith("dfem") for name in method.own_state())
    other = build_addl(build_dfem())
    other.load_own_state(method.own_state())
    assert all(torch.equal(value, other.own_state()[name]) for name, value in method.own_state().items())


def test_the_loaded_dfem_has_the_checkpoints_weights():
    dfem = build_dfem()
    method = build_addl(dfem)
    images = expression_batch(2).images
    with torch.no_grad():
        assert torch.equal(method.dfem(images).features, dfem.eval()(images).features)


def test_fewer_factors_take_their_own_features_in_the_order_of_the_labels():
    method = build_addl(factors=("pose", "gender")).eval()
    images = expression_batch(2).images
    assert method.factors == ("gender", "pose")
    assert method.importance(images).shape == (2, 2)
    everything = method.dfem.extract(images, FACTORS).features
    assert torch.equal(method._prior(images).features, everything[:, [0, 5]])


def test_a_dfem_that_does_not_know_a_factor_is_refused():
    with pytest.raises(CheckpointError, match=r"its DFEM knows gender, age, race; train DFEM on identity"):
        build_addl(build_dfem(("gender", "age", "race")))


def test_an_unknown_factor_is_refused():
    with pytest.raises(ParameterError, match=r"\['hat'\]; the factors are gender"):
        build("addl", {"factors": ["hat"]}, EXPRESSION)


def test_a_dfem_of_other_classes_is_refused():
    checkpoint = checkpoint_of(build_dfem())
    checkpoint.facts["classes"]["age"] = ["20-39"]
    with pytest.raises(CheckpointError, match="does not fit dfem"):
        build("addl", {}, EXPRESSION, {"dfem": checkpoint})


def test_a_step_in_bfloat16_stays_close_to_the_same_step_in_single_precision_term_by_term():
    found = {}
    for enabled in (False, True):
        method = build_addl(dropout=0, weights={"information": 1.0}).train().to(memory_format=torch.channels_last)
        torch.manual_seed(0)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            losses = method.step(expression_batch(8), method.stages()[0])
        found[enabled] = {(player, name): value for player, terms in losses.items() for name, value in terms.items()}
    for name, value in found[True].items():
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(found[False][name].item(), rel=2**-8, abs=5e-4), name


def test_what_the_opponents_read_has_all_digits_of_single_precision_under_autocast():
    method = build_addl(dropout=0).train()
    read = []
    for opponent in (method.discriminator, method.mine):
        opponent.register_forward_pre_hook(lambda _, inputs: read.extend(inputs))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        method.step(expression_batch(), method.stages()[0])
        importance = method.importance(expression_batch().images)
    assert len(read) == 2 * 2 + 2 * 2 * 2  # D reads two features and T two pairs, for either side of the game
    for feature in (*read, importance):
        assert feature.dtype == torch.float32
        assert not torch.equal(feature, feature.bfloat16().float())


def test_its_two_features_are_those_that_its_estimator_tells_apart_in_training():
    method = build_addl().eval()
    images = expression_batch().images
    with torch.no_grad():
        found = method.representations(images)
        shared = method.shared(images)
        assert torch.equal(found["expression"], method(images).features)
        assert torch.equal(found["disturbance"], method.disturbance(shared).feature)
