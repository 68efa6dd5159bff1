"""Small fully connected networks behind a feature."""

from typing import Literal

import torch
from torch import Tensor, nn

from openfer.nn.prelu import PReLU

FEATURE_SIZE = 128
"""Length of f^e, f^d and the factor features (ADDL)."""


class ExpressionHead(nn.Module):
    """Dropout - FC(128) - PReLU = f^e, then Dropout - FC(K) - PReLU = logits (ADDL, Sec. 3.3).

    The PReLU on the logits is the paper's. The probability of dropout is not stated there. In single
    precision also under autocast, for what ADDL's opponent T reads is f^e.

    Args:
        inputs: length of the pooled maps.
        classes: K.
        dropout: probability of dropping an input of either layer.
    """

    def __init__(self, inputs: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.feature = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, FEATURE_SIZE), PReLU())
        self.logits = nn.Sequential(nn.Dropout(dropout), nn.Linear(FEATURE_SIZE, classes), PReLU())

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Return f^e (B, 128) and the logits (B, K) of pooled maps (B, inputs)."""
        with torch.autocast(pooled.device.type, enabled=False):
            feature = self.feature(pooled.float())
            return feature, self.logits(feature)


class HiddenHead(nn.Module):
    """FC(hidden) - activation - FC(K): a branch's classifier in OADN.

    The paper names the two layers and nothing between them; a ReLU is what a public re-implementation has.

    Args:
        inputs: length of the feature.
        hidden: length of what lies between the layers.
        classes: K.
        activation: between the layers.
    """

    def __init__(self, inputs: int, hidden: int, classes: int, activation: Literal["relu", "none"]) -> None:
        super().__init__()
        self.feature = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU() if activation == "relu" else nn.Identity())
        self.logits = nn.Linear(hidden, classes)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the last layer reads (B, hidden) and the logits (B, K) of features (B, inputs)."""
        hidden = self.feature(feature)
        return hidden, self.logits(hidden)
