"""SNA's first stage, the two-scale network: its settings (Fu, Wu, Li, Pan and Luo)."""

from pydantic import Field, field_validator

from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import BalancedBatches, Schedule
from openfer.nn.choices import TWO_SCALE_SMALLEST_SIDE, Pool
from openfer.parameters import Settings


class TwoScaleSettings(Settings):
    """Parameters of the two-scale network; the defaults are the paper's.

    Attributes:
        side: of the images in pixels, which the fully connected layers are made for; a multiple of 16 that
            ``images.crop`` must be.
        pool: where a stage halves its maps (:data:`openfer.nn.choices.Pool`); the parameters are the same,
            MACs 1.587 or 3.658 G.
        dropout: behind each branch's last convolution.
        gamma: of the focal loss; not stated, 2 is usual. 0 is the cross-entropy (Table VIII), else at least 1, below
            which the loss has no gradient where a sample is sure.
        schedule: batches are balanced (Selective Learning), 9 of each of seven classes; with six classes take 60. The
            other rows of Table VIII are ``sampling: {kind: all}`` and ``{kind: weighted}``.
    """

    side: int = Field(default=112, ge=TWO_SCALE_SMALLEST_SIDE, multiple_of=16)
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


METHOD = Declaration(
    name="two_scale",
    settings=TwoScaleSettings,
    network=network_at("openfer.methods.two_scale:TwoScale"),
    supports_sample_weights=True,
    input_side=112,
)
