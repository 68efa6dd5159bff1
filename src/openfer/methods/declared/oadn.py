"""OADN: its settings, and its rows by name (Ding, Zhou and Chellappa, CVPR Workshops 2020).

Where the paper is silent or contradicts itself, a parameter's docstring says what is taken and why.
"""

from typing import Literal

from pydantic import Field

from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import Schedule
from openfer.nn.choices import RESNET50, AttentionPooling
from openfer.parameters import Settings


class OADNSettings(Settings):
    """Parameters of OADN; the defaults are the paper's, or those that are usual where it is silent.

    Attributes:
        schedule: the paper drops the rate "by 10 after 20 epochs" of 60: once, or every 20 epochs, which is
            taken here.
        rate: ``fine_tuning`` trains at a hundredth of the schedule's rate. The paper's 0.1 is high for pretrained
            weights, which large steps undo; a re-implementation took 0.001.
        trunk: ``resnet50`` is the paper's; ``dlib_resnet29`` takes dlib's open weights, its last stage unstrided; it
            does not read ``unstrided`` and ``blocks``.
        unstrided: the stage without stride. The paper's "stride of conv4_1" is layer3 in ResNet's own naming and
            layer4 in torchvision's; both make 14 x 14 maps, and layer4 is what is usually unstrided.
        blocks: bottlenecks in each of the four stages; ResNet-50's. Fewer are for small studies.
        threshold: T, the least score of a point that is kept; see :func:`openfer.nn.interest_points.kept_points`. 0.6
            is printed for the raw score of SAN (``landmarks.use.external.confidence: raw``), not for a probability.
        sigma: standard deviation of a point's map as a share of the image's side. Not stated; 10.75 of 224 pixels
            is what a re-implementation's drawing routine gives.
        regions: K.
        attention_weight: lambda, the attention branch's share of the loss (Eq. 5). The paper prints only that 1
            (attention alone) is better than 0 (regions alone). A branch of weight zero is not built and has no say
            at test time; 0 with ``regions: 1`` is the backbone alone.
        attention_pooling: of a weighted map: ``cells`` is the paper's global average pooling, ``weights`` divides by
            the sum of the map's weights, about 2.8 instead of 196 cells. With ``cells`` the trunk's last
            stage gets 3 % of its gradient from the attention branch, with ``weights`` 72 % (random weights, lambda 0.5;
            of dlib's trunk at 104 pixels 6 and 46 %).
        frb_reduction: over the regions' losses; Eq. 4 adds them, so that at lambda = 0.5 they weigh K : 1.
        region_heads: "multiple region-based expression classifiers" of their own, or one that all regions share.
        activation: between the two layers of every classifier; not stated.
        vote: "prediction scores of LAB and FRB are averaged": ``probabilities`` averages the regions', then the two
            branches'; ``logits`` averages the logits of all K + 1 classifiers, as a re-implementation does.
    """

    schedule: Schedule = Schedule(
        epochs=60,
        batch_size=128,
        optimiser="sgd",
        learning_rate=0.1,
        momentum=0.9,
        weight_decay=5e-4,
        milestones=(20, 40),
        decay=0.1,
    )
    rate: Literal["scheduled", "fine_tuning"] = "scheduled"
    trunk: Literal["resnet50", "dlib_resnet29"] = "resnet50"
    unstrided: Literal["layer3", "layer4"] = "layer4"
    blocks: tuple[int, int, int, int] = RESNET50
    threshold: float = Field(default=0.6, ge=0, le=1)
    sigma: float = Field(default=0.048, gt=0)
    regions: Literal[1, 4, 9, 16] = 4
    attention_weight: float = Field(default=0.5, ge=0, le=1)
    attention_pooling: AttentionPooling = "cells"
    frb_reduction: Literal["sum", "mean"] = "sum"
    region_heads: Literal["separate", "shared"] = "separate"
    activation: Literal["relu", "none"] = "relu"
    vote: Literal["probabilities", "logits"] = "probabilities"


def _variant_of(settings: OADNSettings) -> str:
    """Return ``oadn``, or the branch that is alone: ``oadn_lab``, ``oadn_frb``, ``oadn_backbone`` with one region."""
    if settings.attention_weight == 1:
        return "oadn_lab"
    if settings.attention_weight == 0:
        return "oadn_frb" if settings.regions > 1 else "oadn_backbone"
    return "oadn"


METHOD = Declaration(
    name="oadn",
    settings=OADNSettings,
    network=network_at("openfer.methods.oadn:OADN"),
    variants={
        "oadn": {},
        "oadn_lab": {"attention_weight": 1.0},
        "oadn_frb": {"attention_weight": 0.0},
        "oadn_backbone": {"attention_weight": 0.0, "regions": 1},
    },
    variant_of=_variant_of,
    extras=("landmarks",),
    needs_images=lambda settings: "its landmarks are places in them",
    supports_sample_weights=True,
    supports_soft_labels=True,
)
