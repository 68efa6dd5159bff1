"""The two networks that ADDL plays against in training and drops afterwards."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call

from openfer.nn.heads import FEATURE_SIZE


class Discriminator(nn.Module):
    """D: 128 - 256 - 128 - 64 - 1 without biases, LeakyReLU between (73,792 parameters).

    The paper says "four FC layers and a leaky ReLU"; widths and missing biases are the public
    DDL code's. It answers with a logit, and in single precision also under autocast: the two
    features that it tells apart become close, and bfloat16 keeps three digits.

    Args:
        slope: of the LeakyReLU on its negative side.
    """

    def __init__(self, slope: float) -> None:
        super().__init__()
        widths = (2 * FEATURE_SIZE, FEATURE_SIZE, FEATURE_SIZE // 2)
        layers: list[nn.Module] = []
        inputs = FEATURE_SIZE
        for width in widths:
            layers += [nn.Linear(inputs, width, bias=False), nn.LeakyReLU(slope)]
            inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, 1, bias=False))

    def forward(self, feature: Tensor) -> Tensor:
        """Return the logit (B, 1) that a feature (B, 128) is the weighted prior f^m."""
        with torch.autocast(feature.device.type, enabled=False):
            logit: Tensor = self.layers(feature.float())
            return logit


class MutualInformationEstimator(nn.Module):
    """T, the statistics network of MINE: 256 - 64 - 1 (ADDL, Table 1a; 16,513 parameters).

    LeakyReLU follows both layers, the output included, as in the table. In single precision also
    under autocast: the bound is a small difference of two means.

    Args:
        slope: of the LeakyReLUs on their negative side.
    """

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * FEATURE_SIZE, 64), nn.LeakyReLU(slope), nn.Linear(64, 1), nn.LeakyReLU(slope)
        )

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return T (B, 1) of two features, each (B, 128)."""
        with torch.autocast(first.device.type, enabled=False):
            statistic: Tensor = self.layers(torch.cat([first.float(), second.float()], dim=1))
            return statistic


def frozen(network: nn.Module) -> Callable[..., Tensor]:
    """Return the network as a function of its inputs alone.

    Gradients pass through it to its inputs and never reach its parameters.
    """
    parameters = {name: parameter.detach() for name, parameter in network.named_parameters()}
    return lambda *inputs: functional_call(network, parameters, inputs)
