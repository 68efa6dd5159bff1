"""SCN, the Self-Cure Network: its settings (Wang, Peng, Yang, Lu and Qiao, CVPR 2020)."""

from pydantic import Field

from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import Schedule
from openfer.nn.choices import TrunkName
from openfer.parameters import Settings


class SCNSettings(Settings):
    """Parameters of SCN; the defaults are the paper's.

    Attributes:
        balance: gamma, the cross-entropy's share of the loss; the paper weighs both terms alike.
        high_share: beta, the share of a batch that is of high importance.
        margin: delta_1, by which the high group's mean importance is to exceed the low group's.
        relabel_margin: delta_2, by which another class must be more probable than the given one.
        relabel_from: the epoch, counted from 0, from which labels are corrected.
        trunk: ``resnet18`` is the paper's; ``dlib_resnet29`` takes dlib's open weights; ``resnet18_small_images``, of
            no paper, has a stem of 3 x 3 without stride and pooling.
        schedule: 40 epochs of batches of 1024 on eight GPUs, the learning rate a tenth after 15 and 30. The paper
            names no optimiser; this is SGD with the usual momentum and weight decay.
    """

    balance: float = Field(default=0.5, ge=0, le=1)
    high_share: float = Field(default=0.7, gt=0, lt=1)
    margin: float = Field(default=0.15, ge=0, le=1)
    relabel_margin: float = Field(default=0.2, ge=0, le=1)
    relabel_from: int = Field(default=10, ge=0)
    trunk: TrunkName = "resnet18"
    schedule: Schedule = Schedule(
        epochs=40,
        batch_size=1024,
        optimiser="sgd",
        learning_rate=0.1,
        momentum=0.9,
        weight_decay=1e-4,
        milestones=(15, 30),
    )


METHOD = Declaration(
    name="scn", settings=SCNSettings, network=network_at("openfer.methods.scn:SCN"), supports_sample_weights=True
)
