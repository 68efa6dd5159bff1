"""SNA's expression network without the neighbourhood: the paper's baseline, two scales and a focal loss.

Fu, Wu, Li, Pan and Luo: Semantic Neighborhood-Aware Deep Facial Expression Recognition.
"""

from collections.abc import Sequence

from pydantic import Field, field_validator
from torch import Tensor, nn

from openfer.losses.focal import focal_loss
from openfer.methods.contract import (
    BalancedBatches,
    Batch,
    Classes,
    Losses,
    Method,
    Player,
    Prediction,
    Schedule,
    Stage,
    total,
)
from openfer.nn.grey import grey
from openfer.nn.two_scale_network import SMALLEST_SIDE, Pool, TwoScaleNetwork, TwoScaleOutput
from openfer.parameters import Settings


class TwoScaleSettings(Settings):
    """Parameters of the two-scale network; the defaults are the paper's.

    Attributes:
        side: of the images in pixels, which the fully connected layers are made for; a multiple of 16 that
            ``images.crop`` must be.
        pool: where a stage halves its maps (:data:`openfer.nn.two_scale_network.Pool`); the parameters are the same,
            MACs 1.587 or 3.658 G.
        dropout: behind each branch's last convolution.
        gamma: of the focal loss; not stated, 2 is usual. 0 is the cross-entropy (Table VIII), else at least 1, below
            which the loss has no gradient where a sample is sure.
        schedule: batches are balanced (Selective Learning), 9 of each of seven classes; with six classes take 60. The
            other rows of Table VIII are ``sampling: {kind: all}`` and ``{kind: weighted}``.
    """

    side: int = Field(default=112, ge=SMALLEST_SIDE, multiple_of=16)
    pool: Pool = "after_a"
    dropout: float = Field(default=0.5, ge=0, lt=1)
    gamma: float = Field(default=2.0, ge=0)
    schedule: Schedule = Schedule(
        epochs=50,
        batch_size=63,
        optimiser="sgd",
        learning_rate=0.01,
        momentum=0.9,
        weight_decay=2e-3,
        milestones=(10, 20, 30, 40),
        sampling=BalancedBatches(),
    )

    @field_validator("gamma")
    @classmethod
    def _differentiable(cls, value: float) -> float:
        if 0 < value < 1:
            raise ValueError(f"gamma is {value}; 0 is the cross-entropy, a focal loss has 1 or more")
        return value


class TwoScale(Method):
    """One player; three predictions, of the image, of its half and of both, learn with equal weight.

    The answer is that of both. Colour is not seen.
    """

    name = "two_scale"
    config_class = TwoScaleSettings
    config: TwoScaleSettings
    input_side = 112
    weighs = True

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

    def layers_of_sight(self) -> Sequence[nn.Module]:
        """Return the stages of the branch of the whole image and its last convolution."""
        return (*self.network.ori_branch.stages, self.network.ori_branch.last)

    def _outputs(self, images: Tensor) -> TwoScaleOutput:
        outputs: TwoScaleOutput = self.network(grey(images, self.config.side))
        return outputs


METHOD = TwoScale
