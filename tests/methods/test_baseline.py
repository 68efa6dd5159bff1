import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from tests.methods.networks import EXPRESSION, build_addl, expression_batch

from openfer.methods.registry import build
from openfer.nn.complexity import count_parameters


@pytest.mark.parametrize(("variant", "parameters"), [("baseline", 11_243_081), ("baseline_mat", 16_237_467)])
def test_the_variant_decides_the_networks_and_the_name_in_tables(variant, parameters):
    method = build("baseline", {"variant": variant}, EXPRESSION, {})
    assert count_parameters(method) == parameters
    assert method.variant == variant


@pytest.mark.parametrize("variant", ["baseline", "baseline_mat"])
def test_the_step_is_cross_entropy_and_trains_every_parameter(variant):
    method, batch = build("baseline", {"variant": variant, "dropout": 0}, EXPRESSION, {}), expression_batch()
    (stage,) = method.stages()
    losses = method.step(batch, stage)
    losses["main"]["total"].backward(inputs=list(stage.players[0].parameters))
    expected = F.cross_entropy(method(batch.images).logits["expression"], batch.labels["expression"])
    assert losses["main"]["total"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert all(parameter.grad is not None for parameter in method.parameters())


def test_baseline_mat_is_addl_at_test_time():
    baseline = build("baseline", {"variant": "baseline_mat"}, EXPRESSION, {}).eval()
    addl = build_addl().eval()
    baseline.load_own_state(
        {name: value for name, value in addl.own_state().items() if name.startswith(("shared", "expression"))}
    )
    images = expression_batch(2).images
    with torch.no_grad():
        assert torch.equal(baseline(images).logits["expression"], addl(images).logits["expression"])


def test_only_the_attentive_variant_has_a_map():
    images = expression_batch(1).images
    with torch.no_grad():
        maps = {
            v: build("baseline", {"variant": v}, EXPRESSION).eval()(images).maps for v in ("baseline", "baseline_mat")
        }
    assert maps["baseline"] == {}
    assert maps["baseline_mat"]["attentive"].shape == (1, 1, 2, 2)


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValidationError, match="baseline_mat"):
        build("baseline", {"variant": "baseline_matt"}, EXPRESSION)
