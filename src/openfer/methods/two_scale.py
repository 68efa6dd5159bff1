"""SNA's expression network without the neighbourhood: the paper's baseline, two scales and a focal loss.

Fu, Wu, Li, Pan and Luo: Semantic Neighborhood-Aware Deep Facial Expression Recognition.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from openfer.losses.focal import focal_loss
from openfer.methods.contract import (
    Batch,
    Classes,
    Losses,
    Method,
    Player,
    Prediction,
    Stage,
    total,
)
from openfer.methods.declared.two_scale import METHOD, TwoScaleSettings
from openfer.nn.grey import grey
from openfer.nn.two_scale_network import TwoScaleNetwork, TwoScaleOutput


class TwoScale(Method):
    """One player; three predictions, of the image, of its half and of both, learn with equal weight.

    The answer is that of both. Colour is not seen.
    """

    declared = METHOD
    config: TwoScaleSettings

    def __init__(self, config: TwoScaleSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        count = len(self.classes["expression"])
        self.network = TwoScaleNetwork(count, config.side, config.pool, config.dropout)

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        return (Stage("expression", self.config.schedule, (Player("main", tuple(self.parameters())),)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the focal losses of the three predictions; a sample of weight 0 moves nothing (Eq. 11)."""
        outputs = self._outputs(batch.images)
        labels = batch.labels["expression"]
        answers = {"fused": outputs.fused, "ori": outputs.ori, "half": outputs.half}
        losses = {name: focal_loss(own, labels, self.config.gamma, batch.weights) for name, own in answers.items()}
        return {"main": total(losses)}

    def forward(self, images: Tensor) -> Prediction:
        """Predict the expression; the feature is both branches' in a row, (B, 96)."""
        outputs = self._outputs(images)
        return Prediction({"expression": outputs.fused}, outputs.feature)

    def perceived(self, grey_images: Tensor) -> tuple[Tensor, ...]:
        """Return what the branch of the whole image makes of faces in grey (B, 1, S, S): Conv3, Conv4 and Conv5."""
        return self.network.ori_branch.maps(grey_images)

    def backbone(self) -> nn.Module:
        """Return the network without its classifiers' say: no pretrained ResNet fits it."""
        return self.network

    def cam_layers(self) -> Sequence[nn.Module]:
        """Return the stages of the branch of the whole image and its last convolution."""
        return (*self.network.ori_branch.stages, self.network.ori_branch.last)

    def _outputs(self, images: Tensor) -> TwoScaleOutput:
        outputs: TwoScaleOutput = self.network(grey(images, self.config.side))
        return outputs
