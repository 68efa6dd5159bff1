"""ADDL's own comparators: their settings (Ruan et al., IJCV 130, 2022)."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import ADDL_SCHEDULE, Schedule
from openfer.nn.choices import TrunkName
from openfer.parameters import Settings


class BaselineSettings(Settings):
    """Parameters of the baselines; the defaults are the paper's.

    Attributes:
        attention: ``none`` is S_g - global average pooling - two FCs (11,243,081 parameters for seven
            expressions; the paper does not state the pooling); ``single_level`` is S_g - S_e which classifies
            a_5 alone (15,745,947); ``multi_level`` is S_g - S_e, ADDL without its disturbance branch (16,237,467).
        trunk: ``resnet18`` is the paper's; ``dlib_resnet29`` takes dlib's open weights; ``resnet18_small_images``, of
            no paper, has a stem of 3 x 3 without stride and pooling.
        schedule: ADDL's.
        dropout: before each of the two FCs; 0.5 in the DDL code, not stated in the paper.
    """

    attention: Literal["none", "single_level", "multi_level"] = "none"
    trunk: TrunkName = "resnet18"
    schedule: Schedule = ADDL_SCHEDULE
    dropout: float = Field(default=0.5, ge=0, lt=1)


_ROWS = {
    "baseline": {"attention": "none"},
    "baseline_at": {"attention": "single_level"},
    "baseline_mat": {"attention": "multi_level"},
}

STRONG: Mapping[str, Any] = {
    "settings": {
        "attention": "none",
        "schedule": {
            "optimiser": "adamw",
            "weight_decay": 0.05,
            "learning_rate_schedule": "cosine",
            "milestones": (),
            "warmup_epochs": 1,
            "label_smoothing": 0.1,
            "average_decay": 0.98,
        },
    },
    "images": {
        "augment": ({"kind": "affine", "degrees": 10, "translate": 0.05, "scale": (0.95, 1.1)}, {"kind": "erase"})
    },
}
"""A plain network with the usual means of today, of no paper.

The average covers about the last 50 steps, so that a short run forgets its first weights."""


def _variant_of(settings: BaselineSettings) -> str:
    schedule = settings.schedule.model_dump()
    if settings.attention == "none" and all(
        schedule[key] == value for key, value in STRONG["settings"]["schedule"].items()
    ):
        return "strong"
    return next(name for name, row in _ROWS.items() if row["attention"] == settings.attention)


METHOD = Declaration(
    name="baseline",
    settings=BaselineSettings,
    network=network_at("openfer.methods.baseline:Baseline"),
    variants=_ROWS,
    recipes={"strong": STRONG},
    variant_of=_variant_of,
    supports_sample_weights=True,
    supports_soft_labels=True,
)
