"""The residual block of MA-Net's local branch: a basic block with CBAM before the shortcut is added."""

from torch import Tensor
from torchvision.models.resnet import BasicBlock

from openfer.nn.cbam import CBAM
from openfer.nn.choices import GATE_MOMENTUM
from openfer.nn.shortcut import shortcut


class AttentionBlock(BasicBlock):
    """Conv 3x3 - BN - ReLU - Conv 3x3 - BN - CBAM, plus the shortcut, then ReLU (Zhao et al., TIP 2021).

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        stride: of the first convolution and of the shortcut.
        gate_momentum: of CBAM's batch statistics.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, gate_momentum: float = GATE_MOMENTUM) -> None:
        super().__init__(inputs, outputs, stride, shortcut(inputs, outputs, stride))
        self.cbam = CBAM(outputs, gate_momentum)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H / stride, W / stride) of (B, inputs, H, W)."""
        residual = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(self.cbam(residual).maps + (x if self.downsample is None else self.downsample(x)))
