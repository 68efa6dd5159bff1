"""The two-scale network: counts, sizes, what each prediction learns from."""

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from tests.methods.networks import EXPRESSION
from torch.utils.flop_counter import FlopCounterMode

from openfer.errors import ParameterError
from openfer.losses.focal import focal_loss
from openfer.methods.contract import BalancedBatches, Batch
from openfer.methods.declared.two_scale import TwoScaleSettings
from openfer.methods.registry import build
from openfer.nn.complexity import count_parameters

SIDE = 32


def small(**settings):
    torch.manual_seed(0)
    return build("two_scale", {"side": SIDE} | settings, EXPRESSION)


def batch(count=5):
    torch.manual_seed(1)
    return Batch(torch.rand(count, 3, SIDE, SIDE), {"expression": torch.arange(count) % 7})


def test_parameters_are_those_of_table_two_with_the_branches_classifiers():
    assert count_parameters(build("two_scale", {}, EXPRESSION)) == 5_359_157
    assert count_parameters(build("two_scale", {"pool": "end"}, EXPRESSION)) == 5_359_157


@pytest.mark.parametrize(("pool", "macs"), [("after_a", 1.587e9), ("end", 3.658e9)])
def test_multiply_accumulates_depend_on_where_a_stage_halves(pool, macs):
    method = build("two_scale", {"pool": pool}, EXPRESSION).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        method(torch.zeros(1, 3, 112, 112))
    assert counter.get_total_flops() / 2 == pytest.approx(macs, rel=5e-4)


def test_maps_have_the_sizes_of_table_two():
    network = build("two_scale", {}, EXPRESSION).eval().network
    for branch, side, sizes in ((network.ori_branch, 112, (56, 28, 14, 7)), (network.half_branch, 56, (28, 14, 7, 3))):
        maps = torch.zeros(1, 1, side, side)
        for stage, size in zip(branch.stages, sizes, strict=True):
            for layer in stage:
                maps = layer(maps)
                assert layer is stage[0] or maps.shape[-1] == size  # behind the first convolution all are halved
        assert branch.last(maps).shape == (1, 128, sizes[-1], sizes[-1])


def test_the_paper_s_settings_are_the_defaults():
    schedule = TwoScaleSettings().schedule
    assert (schedule.epochs, schedule.batch_size, schedule.learning_rate) == (50, 63, 0.01)
    assert (schedule.momentum, schedule.weight_decay, schedule.milestones) == (0.9, 2e-3, (10, 20, 30, 40))
    assert schedule.sampling == BalancedBatches()


def test_three_predictions_learn_with_equal_weight_and_the_fused_one_answers():
    method, own = small().eval(), batch()
    grey = (own.images * torch.tensor([0.2989, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    ori, half = method.network.ori_branch(grey), method.network.half_branch(F.avg_pool2d(grey, 2))
    both = torch.cat([ori, half], 1)
    logits = {
        "fused": method.network.fused_head(both),
        "ori": method.network.ori_head(ori),
        "half": method.network.half_head(half),
    }
    losses = method.step(own, method.stages()[0])["main"]
    for name, answer in logits.items():
        torch.testing.assert_close(losses[name], focal_loss(answer, own.labels["expression"], 2.0))
    torch.testing.assert_close(losses["total"], sum(losses[name] for name in logits))
    prediction = method(own.images)
    torch.testing.assert_close(prediction.logits["expression"], logits["fused"])
    torch.testing.assert_close(prediction.features, both)


def test_colour_is_not_seen():
    method, own = small().eval(), batch()
    luma = torch.tensor([0.2989, 0.587, 0.114])
    shift = torch.tensor([1.0, 0.0, -0.2989 / 0.114])  # leaves the luma as it is
    assert abs(float((luma * shift).sum())) < 1e-6
    other = own.images + 0.1 * shift[:, None, None]
    torch.testing.assert_close(method(other).logits["expression"], method(own.images).logits["expression"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"gamma": 0.5}, "a focal loss has 1 or more"), ({"side": 40}, "multiple of 16"), ({"side": 16}, "greater")],
)
def test_settings_that_do_not_work_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        TwoScaleSettings.model_validate(settings)


def test_images_of_another_size_are_refused_with_both_parameters_named():
    with pytest.raises(ParameterError, match=r"48 x 48 .* built for 32 x 32; set images.crop and settings.side"):
        small()(torch.zeros(1, 3, 48, 48))
