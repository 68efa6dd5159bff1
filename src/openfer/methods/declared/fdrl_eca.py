"""FDRL-ECANet: its settings, and the rows of its ablation by name (Guo and Yang)."""

from typing import Literal

from pydantic import Field

from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import Schedule
from openfer.nn.choices import Importance, Kernel, Relation, TrunkName
from openfer.parameters import Settings


class Weights(Settings):
    """Of the terms beside the classification; the paper states none.

    Attributes:
        compactness: lambda_1; 1e-4 in the public code.
        distribution: lambda_2; 1e-4 in the public code.
        balance: of FDRL's L_B, which this paper drops; 1 in the public code of FDRL.
    """

    compactness: float = Field(default=1e-4, ge=0)
    distribution: float = Field(default=1e-4, ge=0)
    balance: float = Field(default=0.0, ge=0)


class FDRLECASettings(Settings):
    """Parameters of FDRL-ECANet; the defaults are the paper's.

    Attributes:
        schedule: Adam, a tenth of the rate every seven epochs. lambda_3 L_W, the penalty on all weights, is Adam's
            ``weight_decay`` and nothing besides; its size is the public code's.
        trunk: ``resnet18`` is the paper's; ``dlib_resnet29`` takes dlib's open weights; ``resnet18_small_images``, of
            no paper, has a stem of 3 x 3 without stride and pooling.
        weights: of the terms of the loss.
        channel_attention: ``none`` is the paper's row "w/o ECA".
        kernel: of the channel attention; the paper says "adaptive" (3, 5, 5, 5), ECA's public ResNet-18 has 3.
            Without channel attention it is not read.
        decomposition: False is the paper's row "w/o FDRL": one fully connected layer on the pooled maps; the
            settings below and the weights are then not read.
        branches: M; not stated, 9 in FDRL and its public code.
        importance: of a latent feature. The equation's ``l1`` norm of a 128-vector of sigmoids is near 64 at the
            start; distances of features so large have a tanh of exactly 1 and no gradient. ``mean`` is that norm
            divided by 128, in (0, 1) as the paper's text says, and the default.
        relation: what the paper calls a similarity matrix; both public codes take the Euclidean distance.
        delta: share of the intra features in the reconstruction; not stated, 0.5 in the public code.
        centre_momentum: of the centres of L_C and L_D, which the paper has "clustered iteratively": moving averages
            that keep this share at each step; 0.5 is the rate of center loss (Wen et al., ECCV 2016). None learns
            them by Adam as all else: they start at zero, weight decay pulls them back there against a gradient of
            lambda, and a learning rate a step brings them nowhere near; after the embedded run those of L_D were at
            0.07, the weights that they stand for at 0.47. In the public code they never move.
    """

    schedule: Schedule = Schedule(
        epochs=60,
        batch_size=32,
        learning_rate=1e-4,
        weight_decay=1e-4,
        milestones=tuple(range(7, 60, 7)),
        decay=0.1,
    )
    trunk: TrunkName = "resnet18"
    weights: Weights = Weights()
    channel_attention: Literal["eca", "none"] = "eca"
    kernel: Kernel = 3
    decomposition: bool = True
    branches: int = Field(default=9, ge=2)
    importance: Importance = "mean"
    relation: Relation = "distance"
    delta: float = Field(default=0.5, ge=0, le=1)
    centre_momentum: float | None = Field(default=0.5, gt=0, lt=1)


def _variant_of(settings: FDRLECASettings) -> str:
    """Return the name of the row: which part is left out, if any."""
    left_out = ["eca"] * (settings.channel_attention == "none") + ["fdrl"] * (not settings.decomposition)
    return "_without_".join(["fdrl_eca", *left_out])


METHOD = Declaration(
    name="fdrl_eca",
    settings=FDRLECASettings,
    network=network_at("openfer.methods.fdrl_eca:FDRLECA"),
    variants={
        "fdrl_eca": {},
        "fdrl_eca_without_eca": {"channel_attention": "none"},
        "fdrl_eca_without_fdrl": {"decomposition": False},
    },
    variant_of=_variant_of,
    supports_sample_weights=True,
    supports_soft_labels=True,
)
