import copy

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from tests.methods.networks import EXPRESSION, expression_batch, face_batch, moved_by
from torch.utils.flop_counter import FlopCounterMode

from openfer.errors import CheckpointError, ParameterError
from openfer.io.checkpoint import Checkpoint, save_checkpoint
from openfer.labels import EXPRESSIONS
from openfer.losses.diversity import diversity, similarity_matrix
from openfer.methods.declaration import METHODS
from openfer.methods.declared.esr import ESRSettings
from openfer.methods.registry import build
from openfer.nn.cbam import CBAM
from openfer.nn.complexity import count_parameters
from openfer.nn.esr_network import stack_gates
from openfer.nn.initialisation import initialise
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.training.gradient_share import gradient_shares

EIGHT = {"expression": EXPRESSIONS}
PLAIN = {"attention": False, "diversify": ()}
SIZE = 64
LITERAL = {"distance": "sum", "surrogate": "det"}


def esr(branches=3, classes=EXPRESSION, **config):
    torch.manual_seed(0)
    return build("esr", {"branches": branches, **config}, classes)


@pytest.fixture(scope="module")
def shared_method():
    return esr()


@pytest.fixture
def method(shared_method):
    return copy.deepcopy(shared_method)


@pytest.mark.parametrize(
    ("branches", "config", "parameters", "macs"),
    [
        (1, PLAIN, 2_594_184, None),
        (9, PLAIN, 20_349_384, 2.84e9),
        (9, {}, 20_832_332, 2.84e9),
        (15, PLAIN, 33_665_784, 3.96e9),
        (15, {}, 34_465_676, 3.97e9),
    ],
)
def test_parameters_are_the_papers_and_convolutions_cost_what_the_digest_says(branches, config, parameters, macs):
    method = esr(branches, EIGHT, **config).eval()
    assert count_parameters(method) == parameters
    if macs:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            method(torch.zeros(1, 3, 96, 96))
        assert counter.get_total_flops() / 2 == pytest.approx(macs, rel=2e-3)


def test_at_96_pixels_the_maps_are_the_papers(method):
    image = torch.zeros(1, 3, 96, 96)
    with torch.no_grad():
        base, _ = method.network.base(image)
        branch, attended = method.network.branches[0](base)
    assert base.shape == (1, 128, 20, 20)
    assert branch.shape == (1, 512, 6, 6)
    assert (attended.channel.shape, attended.spatial.shape) == ((1, 512), (1, 1, 6, 6))


def test_table_1_has_four_rows_for_either_number_of_branches():
    assert list(METHODS["esr"].variants) == [
        f"esr-{count}{row}" for count in (9, 15) for row in ("", " cbam", " cbam spatial", " cbam spatial channel")
    ]


def test_the_loss_is_the_sum_of_cross_entropies_minus_a_tenth_of_both_diversities(method):
    batch = expression_batch(4, SIZE)
    method.train()
    losses = method.step(batch, method.stages()[-1])["main"]
    outputs = method.network(batch.images, 3)
    channel, spatial = stack_gates(outputs)
    cross = sum(F.cross_entropy(h(o.feature), batch.labels["expression"]) for h, o in zip(method.heads, outputs))  # noqa: B905
    diverse = {
        kind: 0.1 * diversity(similarity_matrix(gates, 10.0, "mean"), "logdet")
        for kind, gates in (("channel", channel), ("spatial", spatial))
    }
    assert losses["classification"].item() == pytest.approx(cross.item(), rel=1e-5)
    for kind, expected in diverse.items():
        assert losses[f"diversity_{kind}"].item() == pytest.approx(-expected.item(), rel=1e-4)
    expected = cross - diverse["channel"] - diverse["spatial"]
    assert losses["total"].item() == pytest.approx(expected.item(), rel=1e-5)
    pairs = [losses[f"watch/pair_channel_{pair}"].item() for pair in ("1_2", "1_3", "2_3")]
    assert losses["watch/similarity_channel"].item() == pytest.approx(sum(pairs) / 3)


@pytest.mark.parametrize("diversify", [(), ("spatial",), ("channel",)])
def test_what_is_not_diversified_is_watched_and_costs_nothing(diversify):
    method = esr(2, diversify=diversify).train()
    losses = method.step(expression_batch(4, SIZE), method.stages()[-1])["main"]
    assert {name for name in losses if name.startswith("diversity")} == {f"diversity_{kind}" for kind in diversify}
    assert {"watch/similarity_spatial", "watch/similarity_channel"} <= set(losses)
    terms = [value for name, value in losses.items() if name.split("_")[0] in ("classification", "diversity")]
    assert losses["total"].item() == pytest.approx(sum(terms).item())


def test_branches_join_one_after_the_other_and_the_later_ones_wait_untouched(method):
    before = {name: value.clone() for name, value in method.state_dict().items()}
    method.train()
    for number, stage in enumerate(method.stages(), start=1):
        (player,) = stage.players
        names = {id(parameter): name for name, parameter in method.named_parameters()}
        joined = {name.split(".")[2] for name in (names[id(p)] for p in player.parameters) if ".branches." in name}
        assert joined == {str(index) for index in range(number)}
        losses = method.step(expression_batch(2, SIZE), stage)["main"]
        assert ("diversity_channel" in losses) == (number > 1)
        changed = {name for name, value in method.state_dict().items() if not torch.equal(value, before[name])}
        assert {n.split(".")[2] for n in changed if ".branches." in n} == joined  # batch statistics of those alone


def test_the_base_and_the_old_branches_step_more_slowly_than_the_new_branch(method):
    stages = method.stages()
    names = {id(parameter): name for name, parameter in method.named_parameters()}

    def rates(stage):
        (player,) = stage.players
        found = {}
        for parameter, scale in zip(player.parameters, player.scales, strict=True):
            parts = names[id(parameter)].removeprefix("network.").split(".")
            found.setdefault("base" if parts[0] == "base" else parts[1], set()).add(scale * 0.1)
        return {part: scales.pop() for part, scales in found.items() if len(scales) == 1}

    assert rates(stages[0]) == {"base": 0.1, "0": 0.1}
    assert rates(stages[2]) == pytest.approx({"base": 0.01, "0": 0.01, "1": 0.01, "2": 0.1})
    assert [stage.name for stage in stages] == ["branch_1", "branch_2", "branch_3"]
    assert [stage.schedule.epochs for stage in stages] == [50, 20, 20]
    assert {stage.starts_from for stage in stages} == {"best_val"}
    assert {stage.schedule.sampling.per_class for stage in stages} == {5000}


def test_in_fine_tuning_all_branches_are_there_and_diverse_while_one_more_classifies_in_each_stage():
    growth = {"fine_tuning": True, "kept_rate": 0.2, "epochs": 60}
    method = esr(3, growth=growth).train()
    first = method.stages()[0]
    (player,) = first.players
    assert len(player.parameters) == sum(1 for _ in method.parameters())
    assert set(player.scales) == {1.0, 0.2}
    losses = method.step(expression_batch(4, SIZE), first)["main"]
    assert "watch/pair_channel_2_3" in losses
    (player,) = method.stages()[1].players
    rates = {id(parameter): scale for parameter, scale in zip(player.parameters, player.scales, strict=True)}
    parts = (method.network.base, *method.network.branches)
    assert [{rates[id(own)] for own in part.parameters()} for part in parts] == [{0.2}, {0.2}, {1.0}, {0.2}]
    gradients = torch.autograd.grad(losses["classification"], list(method.heads.parameters()), allow_unused=True)
    assert [gradient is not None for gradient in gradients] == [True, True, False, False, False, False]


@pytest.mark.parametrize("branches", [2, 4])
def test_classification_moves_the_base_more_than_diversity_does_and_the_literal_weight_reverses_it(
    tiny_faces, branches
):
    batch = face_batch(tiny_faces)
    shares = {}
    for weight in (0.1, 1.0):
        method = esr(branches, diversity={"weight": weight}).train()
        losses = method.step(batch, method.stages()[-1])["main"]
        shares[weight] = gradient_shares(losses, method.shared_parameters())["watch/gradient_share_classification"]
    assert shares[1.0] < 0.5 < shares[0.1]
    bases = {id(parameter) for parameter in method.network.base.parameters()}
    assert {id(parameter) for parameter in method.shared_parameters()} == bases
    assert {name.removeprefix("main/") for name in method.watch_bounds} == {
        "watch/gradient_share_diversity_channel", "watch/gradient_share_diversity_spatial",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["channel", "spatial"])
def test_diversity_has_a_gradient_at_its_defaults_and_the_literal_equation_has_none(tiny_faces, kind):
    batch = face_batch(tiny_faces)
    found = {}
    for name, settings in (("default", {}), ("literal", LITERAL)):
        method = esr(3, diversity=settings).train()
        term = method.step(batch, method.stages()[-1])["main"][f"diversity_{kind}"]
        found[name] = moved_by(term, method.network.parameters())
    assert found["default"] > 0.05
    if kind == "channel":  # of 512 numbers; the spatial gates have four at 64 pixels
        assert found["literal"] == 0


def test_the_prediction_is_the_majority_of_the_branches(method):
    images = expression_batch(16, SIZE).images
    method.eval()
    with torch.no_grad():
        prediction = method(images)
        votes = method.branch_logits(images).argmax(-1)
    for sample, own in enumerate(votes.tolist()):
        most = max(own.count(name) for name in own)
        winner = min(name for name in own if own.count(name) == most)
        assert prediction.logits["expression"][sample].argmax().item() == winner
    torch.testing.assert_close(prediction.scores["expression"], method.branch_logits(images).mean(1))
    assert prediction.features.shape == (16, 3 * 512)
    assert list(prediction.maps) == ["branch 1", "branch 2", "branch 3"]
    assert prediction.maps["branch 1"].shape == (16, 2, 2)


@pytest.mark.parametrize(("ties", "winner"), [("first", 2), ("raf_db", 4), ("probability", 4)])
def test_the_rule_for_ties_reaches_the_vote(ties, winner):
    method = esr(2, ties=ties).eval()
    with torch.no_grad():
        for head, (name, sure) in zip(method.heads, ((2, 2.0), (4, 5.0)), strict=True):
            head.weight.zero_()
            head.bias.copy_(sure * torch.eye(len(head.bias))[name])
        assert method(expression_batch(3, SIZE).images).logits["expression"].argmax(1).tolist() == [winner] * 3


def test_an_early_exit_is_named_in_tables():
    assert esr(3, early_exit=2).variant == "esr-3 cbam spatial channel exit 2"


def test_within_training_those_branches_vote_that_have_joined_and_a_restored_method_is_whole(method):
    images = expression_batch(2, SIZE).images
    with torch.no_grad():
        method.eval().on_epoch_start(method.stages()[1], 0)
        assert method(images).features.shape == (2, 2 * 512)
        restored = esr()
        restored.load_own_state(method.own_state())
        assert restored.eval()(images).features.shape == (2, 3 * 512)


def test_an_early_exit_predicts_with_the_first_branches_and_runs_no_other(method):
    early = esr(early_exit=1).eval()
    early.load_own_state(method.own_state())
    images = expression_batch(2, SIZE).images
    early.network.branches[1].forward = None
    with torch.no_grad():
        said = early(images).logits["expression"].argmax(1)
        assert torch.equal(said, method.eval().branch_logits(images)[:, 0].argmax(1))


def test_the_similarity_of_each_image_has_a_unit_diagonal_and_averages_to_the_matrix(method):
    images = expression_batch(4, SIZE).images
    method.eval()
    with torch.no_grad():
        by_kind = method.similarities(images)
        channel, _ = stack_gates(method.network(images, 3))
    assert list(by_kind) == ["channel", "spatial"]
    for found in by_kind.values():
        torch.testing.assert_close(found.diagonal(dim1=-2, dim2=-1), torch.ones(4, 3))
    torch.testing.assert_close(by_kind["channel"].mean(0), similarity_matrix(channel, 10.0, "mean"))
    assert esr(2, **PLAIN).similarities(images) == {}


def test_a_checkpoint_of_eight_classes_starts_a_fine_tuning_on_seven_with_new_heads(tmp_path):
    trained = esr(2, EIGHT)
    save_checkpoint(tmp_path / "esr.safetensors", Checkpoint(trained.own_state()))
    method = build("esr", {"branches": 2}, EXPRESSION)
    heads = [head.weight.clone() for head in method.heads]
    report = initialise(method.backbone(), InitialisationSettings(backbone=str(tmp_path / "esr.safetensors")))
    assert report.matched == report.total
    assert report.unexpected == ()
    for name, value in method.network.state_dict().items():
        assert torch.equal(value, trained.network.state_dict()[name])
    assert all(torch.equal(head.weight, weight) for head, weight in zip(method.heads, heads, strict=True))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"attention": False}, "attention is off"),
        ({"branches": 3, "early_exit": 4}, "early_exit is 4, but there are 3"),
        ({"diversify": ["channel", "channel"]}, "twice"),
        ({"diversify": ["branch"]}, "diversify"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(config, words):
    with pytest.raises(ValidationError, match=words):
        ESRSettings.model_validate(config)


def test_images_too_small_for_three_poolings_are_refused(method):
    with pytest.raises(ParameterError, match="48 x 48 pixels, this network needs 54"):
        method(torch.zeros(1, 3, 48, 48))
    method.eval()(torch.zeros(1, 3, 54, 54))


def test_the_momentum_of_the_gates_statistics_reaches_every_gate():
    gates = [module for module in esr(2, gate_momentum=0.3).modules() if isinstance(module, CBAM)]
    assert len(gates) == 4 + 2 * 4
    assert {gate.spatial[1].momentum for gate in gates} == {0.3}


def test_fine_tuning_may_keep_the_classifiers_of_the_same_classes_and_of_no_others(tmp_path):
    first = esr(2, classes=EIGHT)
    save_checkpoint(tmp_path / "esr.safetensors", Checkpoint(first.own_state()))
    settings = InitialisationSettings(backbone=str(tmp_path / "esr.safetensors"))
    growth = {"fine_tuning": True, "keep_classifiers": True}
    kept = esr(2, classes=EIGHT, growth=growth)
    assert initialise(kept.backbone(), settings).unmatched == ()
    for name, tensor in first.own_state().items():
        assert torch.equal(tensor, kept.own_state()[name]), name
    with pytest.raises(
        CheckpointError, match=r"does not fill heads\.0\.weight, .*Give weights of a method with the same"
    ):
        initialise(esr(2, growth=growth).backbone(), settings)
    with pytest.raises(ValueError, match="a training from scratch has no classifiers to keep"):
        ESRSettings.model_validate({"growth": {"keep_classifiers": True}})
