"""ADDL's rows of Table 2: what each switches on, and what it does without."""

import pytest
import torch
from pydantic import ValidationError
from tests.methods.networks import EXPRESSION, OWNERS, build_addl, expression_batch
from tests.methods.test_addl_routes import networks, reached

from openfer.errors import TrainingError
from openfer.evaluation.published import published_table
from openfer.labels import FACTORS
from openfer.losses.adversarial import confusion_loss
from openfer.methods.declaration import METHODS
from openfer.methods.registry import build


def _published():
    """Return Table 2 by our names: the ticks of the six factors in their order, of ADFL, MI and DFEM."""
    table = published_table().query("paper == 'addl' and table == 'Table 2'")
    flags = table.pivot(index="method", columns="metric", values="value").loc[list(dict.fromkeys(table["method"]))]
    rows = flags[flags.index.str.startswith(("DDL", "ADDL"))]
    ours = [name.lower().replace("&", "_").replace("-dfem", "_no_dfem") for name in rows.index]
    factors = rows[list(FACTORS)].agg("".join, axis=1)
    others = rows[["ADFL", "MI", "DFEM"]].astype(int)
    return {name: (ticks, *switches) for name, ticks, switches in zip(ours, factors, others.to_numpy(), strict=True)}


PUBLISHED = _published()
ROWS = list(PUBLISHED)


def of(row, **settings):
    return build_addl(**{**METHODS["addl"].variants[row], **settings})


def test_the_ten_rows_are_those_of_table_2_in_its_order():
    assert list(METHODS["addl"].variants) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_the_ticks_of_table_2(row):
    method, (factors, adfl, mi, dfem) = of(row), PUBLISHED[row]
    assert "".join(str(int(factor in method.factors)) for factor in FACTORS) == factors
    assert (method.disturbance.importance is not None) == adfl
    assert (method.mine is not None) == mi
    assert (method.dfem is not None) == dfem
    assert method.variant == row


@pytest.mark.parametrize("row", ROWS)
def test_its_players_are_those_whose_term_it_has_and_their_losses_come_in_their_order(row):
    method, (_, _, mi, dfem) = of(row).train(), PUBLISHED[row]
    (stage,) = method.stages()
    expected = ["main", *["discriminator"] * dfem, *["mine"] * mi]
    assert [player.name for player in stage.players] == expected
    losses = method.step(expression_batch(), stage)
    assert list(losses) == expected
    terms = {"classification", *({"adversarial", "attention_transfer"} if dfem else ()), "total"}
    terms |= {"mutual_information"} if mi else set()
    assert {name for name in losses["main"] if not name.startswith("watch/")} == terms


@pytest.mark.parametrize("row", ROWS)
def test_no_objective_reaches_another_players_network_even_unrestricted(row):
    method = of(row).train()
    losses = method.step(expression_batch(), method.stages()[0])
    for player, own in losses.items():
        assert networks(reached(method, own, "total")) == set(OWNERS[player])


def test_of_a_disturbance_feature_that_nothing_teaches_nobody_is_told():
    weights = {"adversarial": 0.0, "attention_transfer": 0.1, "information": 0.0}
    method = build_addl(weights=weights)
    assert list(method.representations(expression_batch().images)) == ["expression"]
    assert "main/watch/disturbance_feature_norm" not in method.watch_bounds
    assert list(of("addl_adfl").representations(expression_batch().images)) == ["expression", "disturbance"]


@pytest.mark.parametrize("row", ROWS)
def test_the_objective_of_every_player_depends_on_all_of_its_parameters(row):
    method = of(row).train()
    (stage,) = method.stages()
    losses = method.step(expression_batch(), stage)
    for player in stage.players:
        torch.autograd.grad(losses[player.name]["total"], player.parameters, retain_graph=True)  # refuses unused ones
    owned = {id(parameter) for player in stage.players for parameter in player.parameters}
    assert owned == {id(p) for name, p in method.named_parameters() if not name.startswith("dfem.")}


@pytest.mark.parametrize(("row", "count"), [("ddl_g", 1), ("ddl_gar_id", 4), ("addl_mi", 6)])
def test_equal_weights_make_the_fused_feature_the_mean_of_the_factors(row, count):
    method, images = of(row, dropout=0).train(), expression_batch()
    found = method.step(images, method.stages()[0])["main"]["adversarial"].item()
    with torch.no_grad():
        f_m = method.dfem.extract(images.images, FACTORS[:count]).features.mean(1)
        f_d = method.disturbance(method.shared(images.images)).feature
        expected = confusion_loss(method.discriminator(f_m), method.discriminator(f_d)).item()
    assert found == pytest.approx(expected, rel=1e-4)
    assert method.importance(images.images).tolist() == [[pytest.approx(1 / count)] * count] * 3


def test_the_row_without_dfem_needs_none_to_train_and_has_no_importance_weights():
    method = build("addl", METHODS["addl"].variants["addl_mi_no_dfem"], EXPRESSION, {}).train()
    assert method.step(expression_batch(), method.stages()[0])["mine"]["total"].isfinite()
    assert method.importance(expression_batch().images).shape == (3, 0)


def test_attention_transfer_alone_asks_dfem_for_its_maps_and_no_feature():
    method = build_addl(weights={"adversarial": 0.0, "information": 0.0}, dropout=0).train()
    method.dfem.features = None
    losses = method.step(expression_batch(), method.stages()[0])
    assert list(losses) == ["main"]
    assert losses["main"]["attention_transfer"] > 0
    other = build("addl", {"weights": {"adversarial": 0.0, "information": 0.0}}, EXPRESSION)
    with pytest.raises(TrainingError, match="run the dfem pipeline first"):
        other.step(expression_batch(), other.stages()[0])


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"weights": {"adversarial": 0.5}}, "addl lambda_1 0.5"),
        ({"weights": {"attention_transfer": 0.0}}, "addl lambda_2 0"),
        ({"factors": ["pose", "identity", "illumination"]}, "addl identity+illumination+pose"),
        ({"factors": ["pose"], "importance": "equal"}, "addl pose equal weights"),
        ({"weights": {"adversarial": 0.0}, "factors": ["pose"], "importance": "equal"}, "addl lambda_1 0"),
        ({"factors": list(reversed(FACTORS)), "dropout": 0.1}, "addl"),
        ({"factors": FACTORS[:3], "importance": "equal", "weights": {"information": 0.0}}, "ddl_gar"),
    ],
)
def test_settings_that_are_no_row_are_named_by_what_differs(settings, name):
    assert build("addl", settings, EXPRESSION).variant == name


def test_no_weight_at_all_is_refused_with_the_row_that_this_would_be():
    weights = dict.fromkeys(("adversarial", "attention_transfer", "information"), 0.0)
    with pytest.raises(ValidationError, match="baseline_mat"):
        build("addl", {"weights": weights}, EXPRESSION)


def test_the_opponents_are_watched_as_they_are_and_not_as_they_lose():
    method = build_addl(dropout=0).train()
    batch, (stage,) = expression_batch(), method.stages()
    torch.manual_seed(0)
    losses = method.step(batch, stage)
    assert losses["mine"]["watch/estimate"].item() == -losses["mine"]["negative_bound"].item()
    with torch.no_grad():
        shared = method.shared(batch.images)
        f_d, alpha, _ = method.disturbance(shared)
        f_e = method.expression(shared).feature
        f_m = (alpha.unsqueeze(-1) * method.dfem.extract(batch.images, FACTORS).features).sum(1)
        told = [(answer > 0) == real for f, real in ((f_m, True), (f_d, False)) for answer in method.discriminator(f)]
    assert losses["discriminator"]["watch/accuracy"].item() == pytest.approx(torch.stack(told).float().mean().item())
    for name, feature in {"expression": f_e, "disturbance": f_d, "weighted": f_m}.items():
        norm = feature.norm(dim=1).mean().item()
        assert losses["main"][f"watch/{name}_feature_norm"].item() == pytest.approx(norm, rel=1e-4)
    for factor, mean in zip(FACTORS, alpha.mean(0).tolist(), strict=True):
        assert losses["main"][f"watch/importance_{factor}"].item() == pytest.approx(mean, rel=1e-4)


@pytest.mark.parametrize("row", ROWS)
def test_bounds_are_set_for_all_that_a_row_watches_but_the_discriminators_accuracy(row):
    method = of(row).train()
    losses = method.step(expression_batch(), method.stages()[0])
    watched = {f"{player}/{name}" for player, terms in losses.items() for name in terms if name.startswith("watch/")}
    assert watched - method.watch_bounds.keys() <= {"discriminator/watch/accuracy"}
    for name, bounds in method.watch_bounds.items():
        player, _, scalar = name.partition("/")
        if name in watched - {"mine/watch/flat_share"}:  # T may begin on either side of its last LeakyReLU
            assert bounds.low <= losses[player][scalar].item() <= bounds.high  # a fresh model is healthy


def fill(parameters, value):
    for parameter in parameters:
        parameter.fill_(value)


@pytest.mark.parametrize(
    ("collapse", "scalar"),
    [
        (lambda method: fill([method.disturbance.importance[0].bias], -20), "main/watch/importance_race"),
        (lambda method: fill([method.disturbance.importance[0].bias], 20), "main/watch/importance_race"),
        (lambda method: fill([method.disturbance.importance[0].bias], -20), "main/watch/weighted_feature_norm"),
        (lambda method: fill(method.disturbance.feature.parameters(), 0), "main/watch/disturbance_feature_norm"),
        (lambda method: fill(method.expression.head.parameters(), 0), "main/watch/expression_feature_norm"),
        (lambda method: fill([method.mine.layers[0].weight], 1e5), "mine/watch/estimate"),
        (lambda method: fill([method.mine.layers[2].bias], -50), "mine/watch/flat_share"),
    ],
)
def test_a_collapse_is_outside_of_the_bounds(collapse, scalar):
    method = build_addl().train()
    with torch.no_grad():
        collapse(method)
    losses = method.step(expression_batch(8), method.stages()[0])
    player, _, name = scalar.partition("/")
    bounds = method.watch_bounds[scalar]
    assert not bounds.low <= losses[player][name].item() <= bounds.high
