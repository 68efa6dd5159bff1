"""The layers behind the pooled maps, written out with the same draws of dropout."""

import torch
import torch.nn.functional as F

from openfer.nn.disturbance_subnetwork import DisturbanceSubnetwork
from openfer.nn.heads import ExpressionHead
from openfer.nn.pooling import average_cells
from openfer.nn.resnet import TAP_CHANNELS

DROPOUT = 0.4
SLOPES = {"feature": 0.3, "logits": 0.6}


def prelu(x, slope):
    return torch.where(x > 0, x, slope * x)


def test_the_expression_head_drops_before_each_fc_and_has_a_prelu_after_each():
    torch.manual_seed(0)
    head, pooled = ExpressionHead(20, 7, DROPOUT).train(), torch.randn(6, 20)
    for name, slope in SLOPES.items():
        torch.nn.init.constant_(getattr(head, name)[2].weight, slope)
    weight, bias, _, last_weight, last_bias, _ = head.parameters()
    torch.manual_seed(1)
    feature, logits = head(pooled)
    torch.manual_seed(1)
    expected = prelu(F.dropout(pooled, DROPOUT) @ weight.T + bias, SLOPES["feature"])
    classified = prelu(F.dropout(expected, DROPOUT) @ last_weight.T + last_bias, SLOPES["logits"])
    assert torch.allclose(feature, expected, atol=1e-6)
    assert torch.allclose(logits, classified, atol=1e-6)
    assert (logits < 0).any()  # the PReLU on the logits is at work


def test_s_d_drops_before_its_fc_and_nowhere_else_and_sa_is_an_fc_and_a_sigmoid():
    torch.manual_seed(0)
    network = DisturbanceSubnetwork(6, DROPOUT).train()
    taps = [torch.randn(4, c, w, w) for c, w in zip(TAP_CHANNELS, (8, 8, 4, 2, 1), strict=True)]
    torch.nn.init.constant_(network.feature[2].weight, SLOPES["feature"])
    weight, bias, _ = network.feature.parameters()
    importance_weight, importance_bias = network.importance.parameters()
    torch.manual_seed(1)
    feature, importance, maps = network(taps)
    torch.manual_seed(1)
    pooled = F.dropout(average_cells(maps[-1].attentive, 1, literal=False), DROPOUT)
    expected = prelu(pooled @ weight.T + bias, SLOPES["feature"])
    assert torch.allclose(feature, expected, atol=1e-6)
    assert torch.allclose(importance, 1 / (1 + torch.exp(-(expected @ importance_weight.T + importance_bias))))
