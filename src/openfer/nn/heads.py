"""Small fully connected networks behind a feature."""

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
