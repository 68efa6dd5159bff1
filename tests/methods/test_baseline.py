import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from tests.methods.networks import EXPRESSION, build_addl, expression_batch

from openfer.methods.declaration import METHODS
from openfer.methods.registry import build
from openfer.nn.complexity import count_parameters

ROWS = METHODS["baseline"].variants
PARAMETERS = {"baseline": 11_243_081, "baseline_at": 15_745_947, "baseline_mat": 16_237_467}


def test_table_2_has_three_baselines():
    assert ROWS.keys() == PARAMETERS.keys()


@pytest.mark.parametrize(("row", "parameters"), PARAMETERS.items())
def test_the_row_decides_the_networks_and_the_name_in_tables(row, parameters):
    method = build("baseline", ROWS[row], EXPRESSION, {})
    assert count_parameters(method) == parameters
    assert method.variant == row


@pytest.mark.parametrize("row", PARAMETERS)
def test_the_step_is_cross_entropy_and_trains_every_parameter(row):
    method, batch = build("baseline", ROWS[row] | {"dropout": 0}, EXPRESSION, {}), expression_batch()
    (stage,) = method.stages()
    losses = method.step(batch, stage)
    losses["main"]["total"].backward(inputs=list(stage.players[0].parameters))
    expected = F.cross_entropy(method(batch.images).logits["expression"], batch.labels["expression"])
    assert losses["main"]["total"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert all(parameter.grad is not None for parameter in method.parameters())


def test_baseline_mat_is_addl_at_test_time():
    baseline = build("baseline", ROWS["baseline_mat"], EXPRESSION, {}).eval()
    addl = build_addl().eval()
    baseline.load_own_state(
        {name: value for name, value in addl.own_state().items() if name.startswith(("shared", "expression"))}
    )
    images = expression_batch(2).images
    with torch.no_grad():
        assert torch.equal(baseline(images).logits["expression"], addl(images).logits["expression"])


def test_baseline_at_classifies_the_last_attentive_map_in_four_cells():
    method = build("baseline", ROWS["baseline_at"], EXPRESSION).eval()
    images = expression_batch(2, size=224).images
    with torch.no_grad():
        last = method.expression.attention(method.shared(images))[-1].attentive
        assert last.shape == (2, 512, 7, 7)
        feature, logits = method.expression.head(F.avg_pool2d(last, 3).flatten(1))  # AvgPool(3): 2048 numbers
        found = method(images)
    assert torch.equal(found.features, feature)
    assert torch.equal(found.logits["expression"], logits)
    assert torch.equal(found.maps["attentive"], last.sum(1, keepdim=True))


def test_only_rows_with_attention_have_a_map():
    images = expression_batch(1).images
    with torch.no_grad():
        maps = {row: build("baseline", s, EXPRESSION).eval()(images).maps for row, s in ROWS.items()}
    assert maps["baseline"] == {}
    assert maps["baseline_at"]["attentive"].shape == maps["baseline_mat"]["attentive"].shape == (1, 1, 2, 2)


def test_an_unknown_attention_is_refused():
    with pytest.raises(ValidationError, match="multi_level"):
        build("baseline", {"attention": "multilevel"}, EXPRESSION)
